// The one function that changes the state of the dashboard. Pure: no terminal, no network, no clock; what only the world can do it asks for.
import type { ResultsView, StatusView } from '../../balancer/controller/api/views.ts';
import type { ContextSettings } from '../contexts.ts';
import { type ActAction, reduceAct } from './acting.ts';
import type { FeedExtras } from './decode.ts';
import type { Size } from './frame.ts';
import { go, type GoAction } from './going.ts';
import { initialList, type ListAction, lookingAt, reduceList, selectedSubject, settle, withList } from './lists.ts';
import { type Look, nextLook } from './look.ts';
import { chooseItem, overlayKey } from './overlays/keys.ts';
import { followTime, type PastAction, reducePast } from './past.ts';
import { SCREENS } from './screens/registry.ts';
import { wrapped } from './text.ts';
import { ask, type DashboardState, type HeatColumn, type Link, type SavedView, type ScreenName } from './state.ts';

export type Action =
  | { readonly type: 'status'; readonly status: StatusView; readonly extras?: FeedExtras | null; readonly atMs: number }
  | { readonly type: 'lost'; readonly reason: string; readonly atMs: number }
  | { readonly type: 'tick'; readonly nowMs: number }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'help' }
  | { readonly type: 'overlay'; readonly kind: 'alerts' | 'log' | 'columns' | 'command' }
  | { readonly type: 'overlayKey'; readonly key: string }
  | { readonly type: 'overlayText'; readonly text: string }
  | { readonly type: 'overlayItem'; readonly index: number }
  | { readonly type: 'freeze' }
  | { readonly type: 'look' }
  | { readonly type: 'mouse' }
  | { readonly type: 'interval'; readonly by: 1 | -1 }
  | { readonly type: 'copy' }
  | { readonly type: 'export' }
  | { readonly type: 'saveView' }
  | { readonly type: 'views' }
  | { readonly type: 'view'; readonly view: SavedView }
  | { readonly type: 'asked' }
  | { readonly type: 'said'; readonly text: string; readonly ok: boolean }
  | { readonly type: 'results'; readonly results: ResultsView; readonly routes: DashboardState['routes'] }
  | { readonly type: 'viewNames'; readonly names: readonly string[] }
  /** To be read, over the screen. */
  | { readonly type: 'told'; readonly title: string; readonly lines: readonly string[] }
  | GoAction
  | PastAction
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
      timeline: null,
      lately: null,
      results: null,
      routes: null,
      asks: [],
      nextAsk: 1,
    },
  };
}

export function reduce(state: DashboardState, action: Action): DashboardState {
  const next = apply(state, action);
  if (action.type === 'asked') return next;
  // Only what changes the rows can make the selected one disappear.
  return followTime(next === state || action.type === 'tick' ? next : settle(next));
}

function apply(state: DashboardState, action: Action): DashboardState {
  switch (action.type) {
    case 'status':
    case 'lost':
    case 'tick':
    case 'results':
    case 'viewNames':
    case 'told':
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
    case 'overlayItem':
      return chooseItem(state, action.index);
    case 'past':
    case 'span':
    case 'history':
      return reducePast(state, action);
    case 'resize':
    case 'help':
    case 'overlay':
    case 'freeze':
    case 'look':
    case 'mouse':
    case 'interval':
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
  action: Extract<Action, { readonly type: 'status' | 'lost' | 'tick' | 'results' | 'viewNames' | 'told' | 'said' | 'asked' }>,
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
    case 'viewNames':
      return action.names.length === 0
        ? { ...state, said: { text: 'no views are saved; Ctrl-S saves this one', ok: false, atMs: state.nowMs } }
        : { ...state, overlay: { kind: 'views', names: action.names, index: 0 } };
    case 'told': {
      const lines = action.lines.flatMap((line) => wrapped(line, state.size.columns - 4));
      return { ...state, overlay: { kind: 'text', title: action.title, lines, scroll: 0 } };
    }
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

const INTERVALS_MS = [500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/** How things are shown. */
function changeView(
  state: DashboardState,
  action: Extract<
    Action,
    {
      readonly type:
        'resize' | 'help' | 'overlay' | 'freeze' | 'look' | 'mouse' | 'interval' | 'copy' | 'export' | 'saveView' | 'views' | 'view';
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
  if (kind === 'columns' || kind === 'alerts') return { kind, index: 0 };
  return kind === 'command' ? { kind, text: '', candidates: [], past: null } : { kind, scroll: 0 };
}

/** The command that tells more about the selected row. */
function lineOfRow(state: DashboardState): string {
  const { cluster, service, revision } = selectedSubject(state);
  if (revision !== undefined) return `weir diff ${revision - 1} ${revision}`;
  if (service !== undefined) return `weir describe service ${service}`;
  return cluster === undefined ? 'weir status' : `weir describe cluster ${cluster}`;
}
