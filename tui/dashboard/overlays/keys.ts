// What keys do while something lies over the screen. Pure. Enter goes on to the next thing and never makes a change.
import { ACTS } from '../acts.ts';
import { apply, beginAct, changesOf, lineOf, openPlan, type PlanOverlay, takesReason, whyNot, wordOf } from '../acting.ts';
import { splitWords } from '../../command-words.ts';
import { lookingAt, withList } from '../lists.ts';
import { SCREENS } from '../screens/registry.ts';
import { ask, current, type DashboardState, type Overlay, type Planned } from '../state.ts';
import { cleanText } from '../text.ts';
import { sightOf } from '../sight.ts';
import { screenOfWords } from '../going.ts';
import { UNICODE_GLYPHS } from '../glyphs.ts';
import { bodyHeight } from '../views/header.ts';
import { alertsKey } from './alerts.ts';
import { textOf } from './draw.ts';
import { weightsKey } from './weight-keys.ts';

type Of<Kind extends Overlay['kind']> = Extract<Overlay, { readonly kind: Kind }>;

const MAX_TEXT_LENGTH = 400;
const MAX_TYPED = 50;

/** A character is one code point; the names of other keys are longer. */
function characterOf(key: string): string | null {
  return /^.$/su.test(key) ? cleanText(key) : null;
}

function edited(text: string, key: string): string | null {
  if (key === 'backspace') return text.slice(0, -1);
  if (key === 'ctrl-u') return '';
  const character = characterOf(key);
  return character === null ? null : (text + character).slice(0, MAX_TEXT_LENGTH);
}

export function overlayKey(state: DashboardState, key: string): DashboardState {
  const { overlay } = state;
  if (overlay === null) return state;
  switch (overlay.kind) {
    case 'alerts':
      return alertsKey(state, overlay, key);
    case 'help':
    case 'log':
    case 'text':
      return scrolled(state, overlay, key);
    case 'columns':
      return columnsKey(state, overlay, key);
    case 'views':
      return viewsKey(state, overlay, key);
    case 'name':
      return nameKey(state, overlay, key);
    case 'command':
      return commandKey(state, overlay, key);
    case 'menu':
      return menuKey(state, overlay, key);
    case 'form':
      return formKey(state, overlay, key);
    case 'weights':
      return weightsKey(state, overlay, key);
    case 'plan':
      return planKey(state, overlay, key);
  }
}

function closed(state: DashboardState): DashboardState {
  return { ...state, overlay: null };
}

function scrolled(state: DashboardState, overlay: Of<'help' | 'log' | 'text'>, key: string): DashboardState {
  const page = Math.max(1, Math.floor(state.size.rows / 2));
  const by = (
    {
      ...{ j: 1, down: 1, k: -1, up: -1, pagedown: page, ' ': page, pageup: -page },
      ...{ g: -Infinity, home: -Infinity, G: Infinity, end: Infinity },
    } as Readonly<Record<string, number>>
  )[key];
  if (by !== undefined)
    return { ...state, overlay: { ...overlay, scroll: Math.max(0, Math.min(overlay.scroll + by, mostScroll(state, overlay))) } };
  return ['escape', 'enter', 'q', '?', '@'].includes(key) ? closed(state) : state;
}

/** The last line that can be the first one shown. */
function mostScroll(state: DashboardState, overlay: Of<'help' | 'log' | 'text'>): number {
  const { lines } = textOf(state, UNICODE_GLYPHS, overlay);
  return Math.max(0, lines.length - (bodyHeight(state) - 1));
}

/** A click on the item of a list that lies over the screen: it becomes the active one, and what is active already is taken. */
export function chooseItem(state: DashboardState, index: number): DashboardState {
  const { overlay } = state;
  if (overlay === null || !('index' in overlay)) return state;
  if (overlay.index !== index) return { ...state, overlay: { ...overlay, index } };
  const takes = overlay.kind === 'columns' ? ' ' : ['menu', 'views', 'alerts'].includes(overlay.kind) ? 'enter' : null;
  return takes === null ? state : overlayKey(state, takes);
}

function stepped(index: number, count: number, key: string): number | null {
  if (key === 'down' || key === 'j') return Math.min(count - 1, index + 1);
  if (key === 'up' || key === 'k') return Math.max(0, index - 1);
  return null;
}

function columnsKey(state: DashboardState, overlay: Of<'columns'>, key: string): DashboardState {
  const sight = sightOf(state);
  const columns = sight === null ? [] : SCREENS[state.screen].columns(sight);
  const moved = stepped(overlay.index, columns.length, key);
  if (moved !== null) return { ...state, overlay: { ...overlay, index: moved } };
  if (key === 'escape' || key === 'enter' || key === 'o') return closed(state);
  const column = columns[overlay.index];
  if (key !== ' ' || column === undefined) return state;
  const { hidden } = current(state);
  return withList(state, { hidden: hidden.includes(column.id) ? hidden.filter((id) => id !== column.id) : [...hidden, column.id] });
}

function viewsKey(state: DashboardState, overlay: Of<'views'>, key: string): DashboardState {
  const moved = stepped(overlay.index, overlay.names.length, key);
  if (moved !== null) return { ...state, overlay: { ...overlay, index: moved } };
  const name = overlay.names[overlay.index];
  if (key === 'enter' && name !== undefined) return ask(closed(state), { kind: 'openView', name });
  return key === 'escape' || key === 'q' ? closed(state) : state;
}

function nameKey(state: DashboardState, overlay: Of<'name'>, key: string): DashboardState {
  if (key === 'escape') return closed(state);
  if (key === 'enter') {
    const name = overlay.text.trim();
    if (name === '') return state;
    const { filter, sort, reverse, hidden } = current(state);
    return ask(closed(state), { kind: 'saveView', name, view: { screen: state.screen, filter, sort, reverse, hidden } });
  }
  const text = edited(overlay.text, key);
  return text === null ? state : { ...state, overlay: { ...overlay, text } };
}

function commandKey(state: DashboardState, overlay: Of<'command'>, key: string): DashboardState {
  if (key === 'escape') return closed(state);
  if (key === 'up' || key === 'down') {
    const past = (overlay.past ?? -1) + (key === 'up' ? 1 : -1);
    const text = past < 0 ? '' : state.typed[past];
    return text === undefined ? state : { ...state, overlay: { ...overlay, text, past: past < 0 ? null : past, candidates: [] } };
  }
  if (key === 'tab') return completed(state, overlay);
  if (key === 'enter') {
    const text = overlay.text.trim();
    if (text === '') return closed(state);
    const typed = [text, ...state.typed.filter((each) => each !== text)].slice(0, MAX_TYPED);
    const words = splitWords(text.replace(/^weir\s+/, ''));
    return screenOfWords({ ...state, typed }, words) ?? openPlan({ ...state, typed }, words);
  }
  const text = edited(overlay.text, key);
  if (text === null) return state;
  if (key === 'backspace' && overlay.text === '') return closed(state);
  const next = { ...state, overlay: { ...overlay, text, past: null } };
  return ask(next, { kind: 'complete', words: wordsSoFar(text) });
}

/** The last word may be empty: the next one begins. */
export function wordsSoFar(text: string): readonly string[] {
  const words = splitWords(text.replace(/^weir\s+/, ''));
  return text === '' || /\s$/.test(text) ? [...words, ''] : words;
}

/** Adds what all candidates begin with; the whole word and a blank if there is one. */
function completed(state: DashboardState, overlay: Of<'command'>): DashboardState {
  const last = wordsSoFar(overlay.text).at(-1) ?? '';
  const candidates = overlay.candidates.filter((candidate) => candidate.startsWith(last));
  const [first] = candidates;
  if (first === undefined) return ask(state, { kind: 'complete', words: wordsSoFar(overlay.text) });
  const common = candidates.reduce((begin, each) => {
    let length = 0;
    while (length < begin.length && begin[length] === each[length]) length += 1;
    return begin.slice(0, length);
  }, first);
  const end = candidates.length === 1 && !/[=:/]$/.test(common) ? ' ' : '';
  const text = overlay.text.slice(0, overlay.text.length - last.length) + common + end;
  return ask({ ...state, overlay: { ...overlay, text, past: null } }, { kind: 'complete', words: wordsSoFar(text) });
}

function menuKey(state: DashboardState, overlay: Of<'menu'>, key: string): DashboardState {
  const moved = stepped(overlay.index, overlay.items.length, key);
  if (moved !== null) return { ...state, overlay: { ...overlay, index: moved } };
  const item = overlay.items[overlay.index];
  if (key === 'enter' && item !== undefined)
    return 'words' in item ? openPlan(state, item.words) : beginAct(closed(state), item.act, item.subject);
  return key === 'escape' || key === 'q' ? closed(state) : state;
}

function formKey(state: DashboardState, overlay: Of<'form'>, key: string): DashboardState {
  if (key === 'escape') return closed(state);
  const last = overlay.fields.length - 1;
  if (key === 'enter' && overlay.index === last) return formPlan(state, overlay);
  if (key === 'down' || key === 'tab' || key === 'enter')
    return { ...state, overlay: { ...overlay, index: Math.min(last, overlay.index + 1) } };
  if (key === 'up' || key === 'shift-tab') return { ...state, overlay: { ...overlay, index: Math.max(0, overlay.index - 1) } };
  const field = overlay.fields[overlay.index];
  if (field === undefined) return state;
  const value = field.choices === null ? edited(field.value, key) : turned(field.choices, field.value, key);
  if (value === null) return state;
  return {
    ...state,
    overlay: { ...overlay, fields: overlay.fields.map((each, index) => (index === overlay.index ? { ...each, value } : each)) },
  };
}

function turned(choices: readonly string[], value: string, key: string): string | null {
  const by = key === 'right' || key === ' ' ? 1 : key === 'left' ? -1 : 0;
  return by === 0 ? null : (choices[(choices.indexOf(value) + by + choices.length) % choices.length] ?? null);
}

/** Marked rows get the same form, one plan after the other. */
function formPlan(state: DashboardState, { act: name, subject, fields }: Of<'form'>): DashboardState {
  const act = ACTS.find((one) => one.name === name);
  if (act?.words === undefined) return closed(state);
  const values = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const { words } = act;
  const { marks } = current(state);
  const looking = lookingAt(state);
  const others =
    !act.many || marks.length < 2 || looking === null
      ? []
      : marks.flatMap((id) => SCREENS[state.screen].subjectOf(looking, id).cluster ?? []).filter((cluster) => cluster !== subject);
  return openPlan(
    state,
    words(subject, values),
    others.map((cluster) => words(cluster, values)),
  );
}

function planKey(state: DashboardState, overlay: PlanOverlay, key: string): DashboardState {
  if (overlay.reason !== null) return reasonKey(state, overlay, overlay.reason, key);
  const { phase } = overlay;
  switch (phase.kind) {
    case 'asking':
      return key === 'escape' || key === 'q' ? ask(closed(state), { kind: 'leave', of: overlay.ask }) : state;
    case 'refused':
    case 'failed':
      return key === 'escape' || key === 'q' || key === 'enter' ? closed(state) : state;
    case 'shown':
      return shownKey(state, overlay, key);
    case 'armed':
      return key === 'y' ? apply(state, overlay, false) : { ...state, overlay: { ...overlay, phase: { kind: 'shown' } } };
    case 'typed':
      return typedKey(state, overlay, phase, key);
    case 'applying':
      return state;
    case 'applied':
    case 'done':
      return appliedKey(state, overlay, key);
  }
}

function shownKey(state: DashboardState, overlay: PlanOverlay, key: string): DashboardState {
  const { planned } = overlay;
  if (key === 'escape' || key === 'q') return closed(state);
  if (key === 'c') return ask(state, { kind: 'copy', text: lineOf(overlay.words) });
  if (planned === null || !changesOf(planned)) return key === 'enter' ? closed(state) : state;
  if (key === 'r' && takesReason(planned)) return { ...state, overlay: { ...overlay, reason: '' } };
  // A plan may be looked at by who may not make it.
  if (key !== 'a' || whyNot(state) !== null) return state;
  const question = typedQuestion(state, planned);
  if (question === null) return { ...state, overlay: { ...overlay, phase: { kind: 'armed' } } };
  return { ...state, overlay: { ...overlay, phase: { kind: 'typed', question, word: wordOf(planned), typed: '' } } };
}

/** Why the name has to be typed; null: two keys are enough. */
function typedQuestion({ context }: DashboardState, planned: Planned): string | null {
  if (planned.kind === 'act' && planned.plan.forGood) return 'nothing takes it back';
  return context?.confirm === 'typed' ? `the context ${context.name} asks for the name before every change` : null;
}

function reasonKey(state: DashboardState, overlay: PlanOverlay, reason: string, key: string): DashboardState {
  if (key === 'escape') return { ...state, overlay: { ...overlay, reason: null } };
  if (key === 'enter') {
    const at = overlay.words.indexOf('--reason');
    const without = at < 0 ? overlay.words : [...overlay.words.slice(0, at), ...overlay.words.slice(at + 2)];
    return openPlan(state, reason.trim() === '' ? without : [...without, '--reason', reason.trim()], overlay.queue);
  }
  const text = edited(reason, key);
  return text === null ? state : { ...state, overlay: { ...overlay, reason: text } };
}

function typedKey(
  state: DashboardState,
  overlay: PlanOverlay,
  phase: Extract<PlanOverlay['phase'], { readonly kind: 'typed' }>,
  key: string,
): DashboardState {
  if (key === 'escape') return { ...state, overlay: { ...overlay, phase: { kind: 'shown' } } };
  if (key === 'enter') return phase.typed === phase.word ? apply(state, overlay, true) : state;
  const typed = edited(phase.typed, key);
  return typed === null ? state : { ...state, overlay: { ...overlay, phase: { ...phase, typed } } };
}

function appliedKey(state: DashboardState, overlay: PlanOverlay, key: string): DashboardState {
  if (key === 'u' && overlay.phase.kind === 'applied') return openPlan(state, ['undo']);
  if (key !== 'escape' && key !== 'enter' && key !== 'q') return state;
  const [next, ...queue] = overlay.queue;
  return next === undefined ? withList(closed(state), { marks: [] }) : openPlan(state, next, queue);
}
