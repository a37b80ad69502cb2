// From a key to a change: the appliance is asked what it would come to, that is shown, and only two more keys or a typed word make it. Pure.
import type { ChangeRequest, ChangeResult } from '../../balancer/controller/api/views.ts';
import type { ActPlan } from '../inside-acts.ts';
import { ACTS, type Act } from './acts.ts';
import { chosenSubjects, lookingAt } from './lists.ts';
import type { Subject } from './screen-definition.ts';
import { applianceTimeMs, ask, type DashboardState, isReadOnly, type LogEntry, type Overlay, type Planned, shown } from './state.ts';

export type ActAction =
  | { readonly type: 'act'; readonly act: string }
  /** A line that changes nothing has said this. */
  | { readonly type: 'printed'; readonly ask: number; readonly words: readonly string[]; readonly text: string; readonly ok: boolean }
  | { readonly type: 'planned'; readonly ask: number; readonly request: ChangeRequest; readonly result: ChangeResult }
  | { readonly type: 'actPlanned'; readonly ask: number; readonly plan: ActPlan }
  | { readonly type: 'unplanned'; readonly ask: number; readonly message: string }
  /** A line that stays tells what holds meanwhile. */
  | { readonly type: 'says'; readonly ask: number; readonly text: string }
  | { readonly type: 'done'; readonly ask: number; readonly words: readonly string[]; readonly text: string }
  | { readonly type: 'applied'; readonly ask: number; readonly words: readonly string[]; readonly result: ChangeResult }
  /** `question`: it is dangerous, and whoever wants it has to say so. */
  | {
      readonly type: 'unapplied';
      readonly ask: number;
      readonly words: readonly string[];
      readonly message: string;
      readonly question: string | null;
    }
  | { readonly type: 'completed'; readonly ask: number; readonly candidates: readonly string[] };

export type PlanOverlay = Extract<Overlay, { readonly kind: 'plan' }>;

const MAX_LOG = 100;

export function reduceAct(state: DashboardState, action: ActAction): DashboardState {
  const { overlay } = state;
  switch (action.type) {
    case 'act':
      return beginAct(state, action.act);
    case 'printed':
      return printed(state, action);
    case 'planned':
      if (overlay?.kind === 'weights' && overlay.ask === action.ask)
        return { ...state, overlay: { ...overlay, preview: { result: action.result, problem: null } } };
      if (overlay?.kind !== 'plan' || overlay.ask !== action.ask) return state;
      return {
        ...state,
        overlay: { ...overlay, planned: { kind: 'change', request: action.request, result: action.result }, phase: { kind: 'shown' } },
      };
    case 'actPlanned':
      if (overlay?.kind !== 'plan' || overlay.ask !== action.ask) return state;
      return { ...state, overlay: { ...overlay, planned: { kind: 'act', plan: action.plan }, phase: { kind: 'shown' } } };
    case 'says':
      if (overlay?.kind !== 'plan' || overlay.ask !== action.ask || overlay.phase.kind !== 'asking') return state;
      return { ...state, overlay: { ...overlay, phase: { kind: 'asking', says: action.text } } };
    case 'unplanned':
      if (overlay?.kind === 'weights' && overlay.ask === action.ask)
        return { ...state, overlay: { ...overlay, preview: { result: null, problem: action.message } } };
      if (overlay?.kind !== 'plan' || overlay.ask !== action.ask) return state;
      return { ...state, overlay: { ...overlay, phase: { kind: 'refused', message: action.message } } };
    case 'applied': {
      const { revision, undo } = action.result;
      const outcome = action.result.changed ? `revision ${revision}${undo === '' ? '' : `; ${undo} takes it back`}` : 'nothing to change';
      const logged = withLog(state, { line: lineOf(action.words), outcome, ok: true });
      if (overlay?.kind !== 'plan' || overlay.ask !== action.ask)
        return { ...logged, said: { text: outcome, ok: true, atMs: state.nowMs } };
      return { ...logged, overlay: { ...overlay, phase: { kind: 'applied', result: action.result } } };
    }
    case 'done': {
      const logged = withLog(state, { line: lineOf(action.words), outcome: action.text, ok: true });
      if (overlay?.kind !== 'plan' || overlay.ask !== action.ask)
        return { ...logged, said: { text: action.text, ok: true, atMs: state.nowMs } };
      return { ...logged, overlay: { ...overlay, phase: { kind: 'done', text: action.text } } };
    }
    case 'unapplied':
      return unapplied(state, action);
    case 'completed':
      return overlay?.kind === 'command' ? { ...state, overlay: { ...overlay, candidates: action.candidates } } : state;
  }
}

function printed(
  state: DashboardState,
  { ask: number, words, text, ok }: Extract<ActAction, { readonly type: 'printed' }>,
): DashboardState {
  const { overlay } = state;
  // Whoever went on to something else does not want it any more.
  if (overlay !== null && (overlay.kind !== 'plan' || overlay.ask !== number)) return state;
  const lines = text.replace(/\n$/, '').split('\n');
  const logged = withLog(state, { line: lineOf(words), outcome: ok ? `${lines.length} lines` : (lines[0] ?? ''), ok });
  return { ...logged, overlay: { kind: 'text', title: lineOf(words), lines, scroll: 0 } };
}

function unapplied(
  state: DashboardState,
  { ask: number, words, message, question }: Extract<ActAction, { readonly type: 'unapplied' }>,
): DashboardState {
  const { overlay } = state;
  if (overlay?.kind === 'plan' && overlay.ask === number && question !== null && overlay.planned !== null)
    return { ...state, overlay: { ...overlay, phase: { kind: 'typed', question, word: wordOf(overlay.planned), typed: '' } } };
  const logged = withLog(state, { line: lineOf(words), outcome: message, ok: false });
  if (overlay?.kind !== 'plan' || overlay.ask !== number) return { ...logged, said: { text: message, ok: false, atMs: state.nowMs } };
  return { ...logged, overlay: { ...overlay, phase: { kind: 'failed', message } } };
}

/** `on`: what was chosen; absent: what is selected or marked. */
export function beginAct(state: DashboardState, name: string, on?: Subject): DashboardState {
  const act = ACTS.find((one) => one.name === name);
  const snapshot = lookingAt(state)?.snapshot;
  if (act === undefined || snapshot === undefined) return state;
  const refusal = whyNot(state);
  if (refusal !== null) return { ...state, said: { text: refusal, ok: false, atMs: state.nowMs } };
  const [first = {}, ...others] = on === undefined ? subjectsOf(state, act) : [on];
  const beginning = act.begin(first, { state, snapshot });
  switch (beginning.kind) {
    case 'no':
      return { ...state, said: { text: beginning.why, ok: false, atMs: state.nowMs } };
    case 'overlay':
      return beginning.overlay.kind === 'weights'
        ? previewOf({ ...state, overlay: beginning.overlay })
        : { ...state, overlay: beginning.overlay };
    case 'line': {
      const queue = others.flatMap((subject) => {
        const next = act.begin(subject, { state, snapshot });
        return next.kind === 'line' ? [next.words] : [];
      });
      return openPlan(state, beginning.words, queue);
    }
  }
}

export function subjectsOf(state: DashboardState, act: Act): readonly Subject[] {
  const subjects = chosenSubjects(state);
  return act.many ? subjects : subjects.slice(0, 1);
}

/** Why nothing can be changed from here now; null: it can. */
export function whyNot(state: DashboardState): string | null {
  if (state.readOnly) return 'read-only by --read-only: start weir top without it to change traffic';
  if (state.context?.readOnly === true) return `read-only: the context ${state.context.name} says readOnly`;
  if (isReadOnly(state)) return 'your token may only look; one with role operate may change traffic';
  return state.link.kind === 'lost' ? 'not connected: nothing can be changed now' : null;
}

/** Asks what a line comes to, and shows it. */
export function openPlan(state: DashboardState, words: readonly string[], queue: readonly (readonly string[])[] = []): DashboardState {
  const overlay: PlanOverlay = {
    kind: 'plan',
    words,
    planned: null,
    phase: { kind: 'asking', says: null },
    queue,
    reason: null,
    ask: state.nextAsk,
  };
  return ask({ ...state, overlay }, { kind: 'line', words, preview: false });
}

/** Asks what the weights come to. */
export function previewOf(state: DashboardState): DashboardState {
  const { overlay } = state;
  if (overlay?.kind !== 'weights') return state;
  return ask(
    { ...state, overlay: { ...overlay, preview: null, ask: state.nextAsk } },
    { kind: 'line', words: weightWords(overlay), preview: true },
  );
}

export function weightWords({
  of,
  subject,
  values,
}: Pick<Extract<Overlay, { readonly kind: 'weights' }>, 'of' | 'subject' | 'values'>): readonly string[] {
  const pairs = values.map(({ name, percent }) => `${name}=${percent}`);
  if (of === 'dial') return ['dial', subject, String(values[0]?.percent ?? 100)];
  return of === 'versions' ? ['shift', subject, ...pairs] : ['shift', subject, '--clusters', ...pairs];
}

/** Makes the change that is shown, if nothing was changed since. */
export function apply(state: DashboardState, overlay: PlanOverlay, yes: boolean): DashboardState {
  const { planned, words } = overlay;
  if (planned === null) return state;
  const applying: PlanOverlay = { ...overlay, phase: { kind: 'applying' }, ask: state.nextAsk };
  if (planned.kind === 'act') return ask({ ...state, overlay: applying }, { kind: 'make', act: planned.plan.act, yes, words });
  const { request } = planned;
  const asked: ChangeRequest = {
    ...request,
    dryRun: false,
    ifRevision: request.ifRevision ?? planned.result.revision,
    ...(yes ? { yes: true } : {}),
  };
  return ask({ ...state, overlay: applying }, { kind: 'apply', request: asked, words });
}

/** Whether there is anything to do. */
export function changesOf(planned: Planned): boolean {
  return planned.kind === 'change' ? planned.result.changed : planned.plan.changes;
}

/** Whether the line takes a `--reason`. */
export function takesReason(planned: Planned): boolean {
  if (planned.kind === 'change') return true;
  const { act } = planned.plan;
  return act.kind === 'beginDrill' || (act.kind === 'decide' && act.request.verdict === 'reject');
}

/** What has to be typed before a dangerous act: the name of what it is about. */
export function wordOf(planned: Planned): string {
  if (planned.kind === 'act') return planned.plan.word;
  const { change } = planned.request;
  if ('cluster' in change && change.cluster !== null) return change.cluster;
  if ('service' in change) return change.service;
  return change.kind;
}

/** As it would be typed in a shell. */
export function lineOf(words: readonly string[]): string {
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ['weir', ...quoted].join(' ');
}

function withLog(state: DashboardState, entry: Omit<LogEntry, 'atMs'>): DashboardState {
  const { snapshot } = shown(state);
  const atMs = snapshot === null ? Number.NaN : applianceTimeMs(snapshot, state.nowMs);
  return { ...state, log: [{ atMs, ...entry }, ...state.log].slice(0, MAX_LOG) };
}
