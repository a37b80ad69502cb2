// The one function that changes the state of the dashboard. Pure: no terminal, no network, no clock; what only the world can do it asks for.
import type { ResultsView, StatusView } from '../../balancer/controller/api/views.ts';
import type { ContextSettings } from '../contexts.ts';
import { type ActAction, reduceAct } from './acting.ts';
import type { FeedExtras } from './decode.ts';
import type { Size } from './frame.ts';
import { initialList, type ListAction, lookingAt, reduceList, selectedId, selectedSubject, settle, withList } from './lists.ts';
import { type Look, nextLook } from './look.ts';
import { overlayKey } from './overlays/keys.ts';
import type { Subject } from './screen-definition.ts';
import { SCREENS, TABS } from './screens/registry.ts';
import {
  ask,
  current,
  type DashboardState,
  type HeatColumn,
  type HistorySeries,
  type Link,
  type SavedView,
  type ScreenName,
  shown,
  type Subjects,
} from './state.ts';

export type Action =
  | { readonly type: 'status'; readonly status: StatusView; readonly extras?: FeedExtras | null; readonly atMs: number }
  | { readonly type: 'lost'; readonly reason: string; readonly atMs: number }
  | { readonly type: 'tick'; readonly nowMs: number }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'screen'; readonly screen: ScreenName }
  | { readonly type: 'turn'; readonly by: 1 | -1 }
  | { readonly type: 'open' }
  | { readonly type: 'other'; readonly by: 1 | -1 }
  | { readonly type: 'help' }
  | { readonly type: 'overlay'; readonly kind: 'alerts' | 'log' | 'columns' | 'command' }
  | { readonly type: 'overlayKey'; readonly key: string }
  | { readonly type: 'overlayText'; readonly text: string }
  | { readonly type: 'freeze' }
  | { readonly type: 'look' }
  | { readonly type: 'mouse' }
  | { readonly type: 'interval'; readonly by: 1 | -1 }
  | { readonly type: 'past'; readonly by: 1 | -1 }
  | { readonly type: 'copy' }
  | { readonly type: 'export' }
  | { readonly type: 'saveView' }
  | { readonly type: 'views' }
  | { readonly type: 'view'; readonly view: SavedView }
  | { readonly type: 'asked' }
  | { readonly type: 'said'; readonly text: string; readonly ok: boolean }
  | { readonly type: 'results'; readonly results: ResultsView; readonly routes: DashboardState['routes'] }
  | { readonly type: 'history'; readonly ask: number; readonly series: readonly HistorySeries[] | null; readonly problem: string | null }
  | { readonly type: 'viewNames'; readonly names: readonly string[] }
  | { readonly type: 'back' }
  | ListAction
  | ActAction;

export interface InitialChoices {
  readonly where: string;
  readonly context: ContextSettings | null;
  readonly readOnly: boolean;
  readonly intervalMs: number;
  readonly size: Size;
  readonly nowMs: number;
  readonly look: Look;
  readonly mouse: boolean;
}

export function initialState(choices: InitialChoices): DashboardState {
  const names: readonly ScreenName[] = Object.values(SCREENS).map(({ name }) => name);
  // A decoding border: the names are the keys of the record.
  const lists = Object.fromEntries(names.map((name) => [name, initialList(name)])) as DashboardState['lists'];
  return {
    ...choices,
    firstLook: choices.look,
    link: { kind: 'lost', sinceMs: choices.nowMs, reason: 'connecting' },
    ...{ latest: null, frozen: null, screen: 'overview', stack: [], lists, subjects: { cluster: null, service: null } },
    ...{
      editing: null,
      overlay: null,
      log: [],
      typed: [],
      said: null,
      heat: [],
      past: null,
      results: null,
      routes: null,
      asks: [],
      nextAsk: 1,
    },
  };
}

export function reduce(state: DashboardState, action: Action): DashboardState {
  const next = apply(state, action);
  // Only what changes the rows can make the selected one disappear.
  return next === state || action.type === 'tick' || action.type === 'asked' ? next : settle(next);
}

function apply(state: DashboardState, action: Action): DashboardState {
  switch (action.type) {
    case 'status':
    case 'lost':
    case 'tick':
    case 'results':
    case 'history':
    case 'viewNames':
    case 'said':
    case 'asked':
      return takeNews(state, action);
    case 'screen':
    case 'turn':
    case 'open':
    case 'other':
    case 'back':
      return go(state, action);
    case 'act':
    case 'printed':
    case 'planned':
    case 'actPlanned':
    case 'unplanned':
    case 'says':
    case 'done':
    case 'applied':
    case 'unapplied':
    case 'completed':
      return reduceAct(state, action);
    case 'overlayKey':
      return overlayKey(state, action.key);
    case 'overlayText':
      return Array.from(action.text).reduce(overlayKey, state);
    case 'resize':
    case 'help':
    case 'overlay':
    case 'freeze':
    case 'look':
    case 'mouse':
    case 'interval':
    case 'past':
    case 'copy':
    case 'export':
    case 'saveView':
    case 'views':
    case 'view':
      return changeView(state, action);
    default:
      return reduceList(state, action);
  }
}

/** What came from outside. */
function takeNews(
  state: DashboardState,
  action: Extract<Action, { readonly type: 'status' | 'lost' | 'tick' | 'results' | 'history' | 'viewNames' | 'said' | 'asked' }>,
): DashboardState {
  switch (action.type) {
    case 'status': {
      const { status, extras = null, atMs } = action;
      return {
        ...state,
        nowMs: atMs,
        link: { kind: 'live' },
        latest: { status, extras, receivedAtMs: atMs },
        heat: warmer(state.heat, status, extras),
      };
    }
    case 'lost':
      return { ...state, nowMs: action.atMs, link: lose(state.link, action.reason, action.atMs) };
    case 'tick':
      return { ...state, nowMs: action.nowMs };
    case 'results':
      return { ...state, results: action.results, routes: action.routes };
    case 'history': {
      if (state.past?.ask !== action.ask) return state;
      const series = action.series === null ? null : new Map(action.series.map((each) => [each.of, each]));
      return { ...state, past: { ...state.past, series, problem: action.problem } };
    }
    case 'viewNames':
      return action.names.length === 0
        ? { ...state, said: { text: 'no views are saved; Ctrl-S saves this one', ok: false, atMs: state.nowMs } }
        : { ...state, overlay: { kind: 'views', names: action.names, index: 0 } };
    case 'said':
      return { ...state, said: { text: action.text, ok: action.ok, atMs: state.nowMs } };
    case 'asked':
      return state.asks.length === 0 ? state : { ...state, asks: [] };
  }
}

/** Seconds of latencies that are kept: more than the widest terminal has columns. */
const MAX_HEAT = 300;

/** The second that is new, if one is. */
function warmer(heat: readonly HeatColumn[], status: StatusView, extras: FeedExtras | null): readonly HeatColumn[] {
  if (extras === null || heat.at(-1)?.second === extras.latency.second) return heat;
  const errors = new Map<string, number>([
    ['all', status.traffic.errorRatio],
    ...status.clusters.map(({ name, traffic }) => [`cluster/${name}`, traffic.errorRatio] as const),
    ...status.services.map(({ name, traffic }) => [`service/${name}`, traffic.errorRatio] as const),
  ]);
  // A controller that was replaced counts anew.
  const before = (heat.at(-1)?.second ?? 0) > extras.latency.second ? [] : heat;
  const counts = new Map(extras.latency.lines.map(({ of, counts }) => [of, counts]));
  return [...before.slice(1 - MAX_HEAT), { second: extras.latency.second, counts, errors }];
}

/** The first loss is the one that counts; later failed attempts only bring a newer reason. */
function lose(link: Link, reason: string, atMs: number): Link {
  return { kind: 'lost', reason, sinceMs: link.kind === 'lost' ? link.sinceMs : atMs };
}

/** Which screen, and what it is about. */
function go(
  state: DashboardState,
  action: Extract<Action, { readonly type: 'screen' | 'turn' | 'open' | 'other' | 'back' }>,
): DashboardState {
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
    const { revision } = subject;
    if (revision === undefined || revision < 2) return state;
    return ask(state, { kind: 'line', words: ['diff', String(revision - 1), String(revision)], preview: false });
  }
  const opened = {
    ...state,
    ...withSubject(state, subject),
    screen: opens,
    stack: [state.screen, ...state.stack].slice(0, 10),
    past: null,
  };
  const { service } = opened.subjects;
  return opens === 'service' && service !== null ? ask({ ...opened, results: null, routes: null }, { kind: 'results', service }) : opened;
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
  const moved = { ...state, subjects: { ...state.subjects, [about]: next }, past: null };
  return about === 'service' ? ask({ ...moved, results: null, routes: null }, { kind: 'results', service: next }) : moved;
}

/** Closes the uppermost thing: marks, then the filter, then the past, then the freeze, then the screen. */
function back(state: DashboardState): DashboardState {
  const list = current(state);
  if (list.marks.length > 0) return withList(state, { marks: [] });
  if (list.filter !== '') return withList(state, { filter: '' });
  if (state.past !== null) return { ...state, past: null };
  if (state.frozen !== null) return { ...state, frozen: null };
  const [before, ...stack] = state.stack;
  return before === undefined ? { ...state, screen: 'overview' } : { ...state, screen: before, stack };
}

const INTERVALS_MS = [500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/** How things are shown. */
function changeView(
  state: DashboardState,
  action: Extract<
    Action,
    {
      readonly type:
        | 'resize'
        | 'help'
        | 'overlay'
        | 'freeze'
        | 'look'
        | 'mouse'
        | 'interval'
        | 'past'
        | 'copy'
        | 'export'
        | 'saveView'
        | 'views'
        | 'view';
    }
  >,
): DashboardState {
  switch (action.type) {
    case 'resize':
      return { ...state, size: action.size };
    case 'help':
      return { ...state, overlay: state.overlay?.kind === 'help' ? null : { kind: 'help', scroll: 0 } };
    case 'overlay':
      return { ...state, overlay: openOverlay(action.kind) };
    case 'freeze':
      if (state.frozen !== null) return { ...state, frozen: null };
      return state.latest === null ? state : { ...state, frozen: { snapshot: state.latest, atMs: state.nowMs } };
    case 'look':
      return { ...state, look: nextLook(state.firstLook, state.look) };
    case 'mouse':
      return {
        ...state,
        mouse: !state.mouse,
        said: { text: state.mouse ? 'the mouse selects text' : 'the mouse clicks', ok: true, atMs: state.nowMs },
      };
    case 'interval':
      return withInterval(state, action.by);
    case 'past':
      return moveInTime(state, action.by);
    case 'copy':
      return ask(state, { kind: 'copy', text: lineOfRow(state) });
    case 'export': {
      const looking = lookingAt(state);
      return looking === null ? state : ask(state, { kind: 'export', screen: state.screen, rows: SCREENS[state.screen].exported(looking) });
    }
    case 'saveView':
      return { ...state, overlay: { kind: 'name', purpose: 'view', text: state.screen } };
    case 'views':
      return ask(state, { kind: 'views' });
    case 'view': {
      const { screen, filter, sort, reverse, hidden } = action.view;
      return withList({ ...state, screen, stack: [], overlay: null }, { filter, sort, reverse, hidden });
    }
  }
}

function withInterval(state: DashboardState, by: 1 | -1): DashboardState {
  const at = INTERVALS_MS.findIndex((each) => each >= state.intervalMs);
  const intervalMs = INTERVALS_MS[Math.max(0, Math.min(INTERVALS_MS.length - 1, at + by))] ?? state.intervalMs;
  return { ...state, intervalMs, said: { text: `news every ${intervalMs / 1000} s`, ok: true, atMs: state.nowMs } };
}

function openOverlay(kind: 'alerts' | 'log' | 'columns' | 'command'): NonNullable<DashboardState['overlay']> {
  if (kind === 'columns') return { kind, index: 0 };
  return kind === 'command' ? { kind, text: '', candidates: [], past: null } : { kind, scroll: 0 };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How far back each step of the key goes. */
const PAST_MS = [
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  30 * DAY_MS,
  90 * DAY_MS,
  365 * DAY_MS,
];

function moveInTime(state: DashboardState, by: 1 | -1): DashboardState {
  const at = state.past === null ? -1 : PAST_MS.indexOf(state.past.beforeNowMs);
  const beforeNowMs = PAST_MS[at + by];
  if (beforeNowMs === undefined) return at + by < 0 ? { ...state, past: null } : state;
  const past = { beforeNowMs, series: null, problem: null, ask: state.nextAsk };
  return ask({ ...state, past }, { kind: 'history', of: chartedBy(state), beforeNowMs, histogram: state.screen === 'latency' });
}

/** What the charts of the screen are of, as the history names it. */
function chartedBy(state: DashboardState): string {
  const { cluster, service } = selectedSubject(state);
  if (state.screen === 'cluster' && cluster !== undefined) return `cluster/${cluster}`;
  if (state.screen === 'service' && service !== undefined) return `service/${service}`;
  return state.screen === 'latency' ? (selectedId(state) ?? 'all') : 'cluster/*';
}

/** The command that tells more about the selected row. */
function lineOfRow(state: DashboardState): string {
  const { cluster, service, revision } = selectedSubject(state);
  if (revision !== undefined) return `weir diff ${revision - 1} ${revision}`;
  if (service !== undefined) return `weir describe service ${service}`;
  return cluster === undefined ? 'weir status' : `weir describe cluster ${cluster}`;
}
