// Which screen is shown, what it is about, and the way back. Pure.
import { chosenSubjects, lookingAt, selectedId, selectedSubject, withList } from './lists.ts';
import type { Subject } from './screen-definition.ts';
import { SCREENS, TABS } from './screens/registry.ts';
import { ask, current, type DashboardState, type ScreenName, shown, type Subjects } from './state.ts';
import { wrapped } from './text.ts';

export type GoAction =
  | { readonly type: 'screen'; readonly screen: ScreenName }
  | { readonly type: 'turn'; readonly by: 1 | -1 }
  | { readonly type: 'open' }
  /** On a screen about one thing: to another of its kind. */
  | { readonly type: 'other'; readonly by: 1 | -1 }
  | { readonly type: 'back' };

/** Which screen, and what it is about. */
export function go(state: DashboardState, action: GoAction): DashboardState {
  switch (action.type) {
    case 'screen':
      return { ...state, ...withSubject(state, selectedSubject(state)), screen: action.screen, stack: [], overlay: null };
    case 'turn': {
      const at = TABS.findIndex(({ name }) => name === state.screen);
      const next = TABS[(Math.max(0, at) + action.by + TABS.length) % TABS.length];
      return next === undefined ? state : go(state, { type: 'screen', screen: next.name });
    }
    case 'open':
      return open(state);
    case 'other':
      return other(state, action.by);
    case 'back':
      return back(state);
  }
}

function withSubject({ subjects }: DashboardState, { cluster, service }: Subject): { readonly subjects: Subjects } {
  return { subjects: { cluster: cluster ?? subjects.cluster, service: service ?? subjects.service } };
}

/** Goes to what the selected row is about. */
function open(state: DashboardState): DashboardState {
  const { opens } = SCREENS[state.screen];
  const subject = selectedSubject(state);
  if (opens === null || selectedId(state) === null) return state;
  if (opens === 'revision') {
    const marked = current(state).marks.length === 2 ? chosenSubjects(state).flatMap(({ revision }) => revision ?? []) : [];
    if (marked.length === 2) return askDiff(state, Math.min(...marked), Math.max(...marked));
    const { revision } = subject;
    if (revision === undefined || revision < 2) return showDetail(state);
    return askDiff(state, revision - 1, revision);
  }
  const opened = {
    ...state,
    ...withSubject(state, subject),
    screen: opens,
    stack: [state.screen, ...state.stack].slice(0, 10),
  };
  return shownService(opened);
}

function askDiff(state: DashboardState, from: number, to: number): DashboardState {
  return ask(state, { kind: 'line', words: ['diff', String(from), String(to)], preview: false });
}

/** All that is known of the row, for what its line has no room for. */
function showDetail(state: DashboardState): DashboardState {
  const looking = lookingAt(state);
  const id = selectedId(state);
  const detail = looking === null || id === null ? null : SCREENS[state.screen].detailOf(looking, id);
  if (detail === null) return state;
  const lines = detail.lines.flatMap((line) => wrapped(line, state.size.columns - 4));
  return { ...state, overlay: { kind: 'text', title: detail.title, lines, scroll: 0 } };
}

/** On a screen about one thing: the next of its kind. */
function other(state: DashboardState, by: 1 | -1): DashboardState {
  const { about } = SCREENS[state.screen];
  const status = shown(state).snapshot?.status;
  if (about === null || status === undefined) return state;
  const names = (about === 'cluster' ? status.clusters : status.services).map(({ name }) => name);
  const at = Math.max(0, names.indexOf(state.subjects[about] ?? names[0] ?? ''));
  const next = names[(at + by + names.length) % names.length];
  if (next === undefined) return state;
  return shownService({ ...state, subjects: { ...state.subjects, [about]: next } });
}

/** Closes the uppermost thing: marks, then the filter, then the past, then the freeze, then the screen. */
function back(state: DashboardState): DashboardState {
  const list = current(state);
  if (list.marks.length > 0) return withList(state, { marks: [] });
  if (list.filter !== '') return withList(state, { filter: '' });
  if (state.past !== null && SCREENS[state.screen].charts !== null && !state.past.jumped) return { ...state, past: null };
  if (state.frozen !== null) return { ...state, frozen: null };
  const [before, ...stack] = state.stack;
  const past = state.past?.jumped === true ? null : state.past;
  return before === undefined ? { ...state, past, screen: 'overview' } : { ...state, past, screen: before, stack };
}

/** What a word of the command line shows in place of a command; with what it is about, or the filter. */
const WORDS: Readonly<Record<string, ScreenName>> = {
  ...{ overview: 'overview', clusters: 'overview', services: 'services', service: 'service', cluster: 'cluster', changes: 'changes' },
  ...{ edges: 'edges', workers: 'edges', latency: 'latency', events: 'events' },
};

export const SCREEN_WORDS: readonly string[] = Object.keys(WORDS);

/** `services`, `cluster eu-west`, `events health`; null: it is a command. */
export function screenOfWords(state: DashboardState, words: readonly string[]): DashboardState | null {
  const [word = '', ...rest] = words;
  const screen = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (screen === undefined || rest.some((each) => each.startsWith('-'))) return null;
  const at: DashboardState = { ...state, overlay: null, stack: [state.screen, ...state.stack].slice(0, 10), screen };
  const { about } = SCREENS[screen];
  if (about === null) return rest.length === 0 ? at : withList(at, { filter: rest.join(' ') });
  const status = shown(state).snapshot?.status;
  const all = (about === 'cluster' ? status?.clusters : status?.services) ?? [];
  const name = rest[0] ?? selectedSubject(state)[about] ?? state.subjects[about] ?? all[0]?.name;
  if (name === undefined || !all.some((one) => one.name === name))
    return { ...state, said: { text: `no ${about} is named ${name ?? ''}`, ok: false, atMs: state.nowMs } };
  return shownService({ ...at, subjects: { ...at.subjects, [about]: name } });
}

/** The screen of a service shows what has to be asked for. */
export function shownService(state: DashboardState): DashboardState {
  const { service } = state.subjects;
  if (state.screen !== 'service' || service === null) return state;
  return ask({ ...state, results: null, routes: null }, { kind: 'results', service });
}
