// The state of the dashboard and the one function that changes it. Pure: no terminal, no network, no clock.
import type { StatusView } from '../../balancer/controller/api/views.ts';
import type { Size } from './frame.ts';
import { type ListChoice, rowIds, SCREENS, type ScreenName, SORTS } from './rows.ts';

/** Kept by identity: rows that move, come or go do not change what is selected. */
export interface Selection {
  /** Null: the first row, whichever that is. */
  readonly id: string | null;
  /** Where it was last seen; takes over when the row is gone. */
  readonly index: number;
}

export interface ListState extends ListChoice {
  readonly selection: Selection;
}

/** A status and when it came, on the dashboard's own monotonic clock. */
export interface Snapshot {
  readonly status: StatusView;
  readonly receivedAtMs: number;
}

export type Link = { readonly kind: 'live' } | { readonly kind: 'lost'; readonly sinceMs: number; readonly reason: string };

export interface DashboardState {
  /** Where the appliance is, as a person would say it. */
  readonly where: string;
  readonly readOnly: boolean;
  /** A snapshot older than this is shown as stale. */
  readonly staleAfterMs: number;
  readonly size: Size;
  readonly nowMs: number;
  readonly link: Link;
  readonly latest: Snapshot | null;
  /** What is held on the screen, and since when. */
  readonly frozen: { readonly snapshot: Snapshot; readonly atMs: number } | null;
  readonly screen: ScreenName;
  readonly lists: Readonly<Record<ScreenName, ListState>>;
  /** While the filter line is open: what the filter was before. */
  readonly editing: { readonly before: string } | null;
  readonly help: boolean;
}

export type Action =
  | { readonly type: 'status'; readonly status: StatusView; readonly atMs: number }
  | { readonly type: 'lost'; readonly reason: string; readonly atMs: number }
  | { readonly type: 'tick'; readonly nowMs: number }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'screen'; readonly screen: ScreenName }
  | { readonly type: 'turn'; readonly by: 1 | -1 }
  | { readonly type: 'move'; readonly by: number }
  | { readonly type: 'page'; readonly by: 1 | -1 }
  | { readonly type: 'edge'; readonly to: 'first' | 'last' }
  | { readonly type: 'filterOpen' }
  | { readonly type: 'filterType'; readonly text: string }
  | { readonly type: 'filterErase'; readonly all: boolean }
  | { readonly type: 'filterClose'; readonly keep: boolean }
  | { readonly type: 'help' }
  | { readonly type: 'freeze' }
  | { readonly type: 'sort' }
  | { readonly type: 'reverse' }
  | { readonly type: 'back' };

/** Longer filters do not fit any line. */
const MAX_FILTER_LENGTH = 80;

export interface InitialChoices {
  readonly where: string;
  readonly readOnly: boolean;
  readonly staleAfterMs: number;
  readonly size: Size;
  readonly nowMs: number;
}

export function initialState(choices: InitialChoices): DashboardState {
  const list = (screen: ScreenName): ListState => ({
    filter: '',
    sort: SORTS[screen][0] ?? '',
    reverse: false,
    selection: { id: null, index: 0 },
  });
  return {
    ...choices,
    link: { kind: 'lost', sinceMs: choices.nowMs, reason: 'connecting' },
    latest: null,
    frozen: null,
    screen: 'overview',
    lists: { overview: list('overview'), services: list('services'), events: list('events') },
    editing: null,
    help: false,
  };
}

/** What is drawn: the frozen snapshot if there is one. `nowMs` stands still with it, so ages on a frozen screen do too. */
export function shown(state: DashboardState): { readonly snapshot: Snapshot | null; readonly nowMs: number } {
  return state.frozen === null
    ? { snapshot: state.latest, nowMs: state.nowMs }
    : { snapshot: state.frozen.snapshot, nowMs: state.frozen.atMs };
}

/** Is what is drawn too old to be believed? */
export function isStale(state: DashboardState): boolean {
  if (state.link.kind === 'lost' || state.latest === null) return true;
  return state.nowMs - state.latest.receivedAtMs > state.staleAfterMs;
}

export function reduce(state: DashboardState, action: Action): DashboardState {
  const next = apply(state, action);
  // Only what changes the rows can make the selected one disappear.
  return next === state || action.type === 'tick' ? next : settle(next);
}

function apply(state: DashboardState, action: Action): DashboardState {
  switch (action.type) {
    case 'status':
      return { ...state, nowMs: action.atMs, link: { kind: 'live' }, latest: { status: action.status, receivedAtMs: action.atMs } };
    case 'lost':
      return { ...state, nowMs: action.atMs, link: lose(state.link, action.reason, action.atMs) };
    case 'tick':
      return { ...state, nowMs: action.nowMs };
    case 'resize':
      return { ...state, size: action.size };
    case 'screen':
      return { ...state, screen: action.screen, help: false };
    case 'turn':
      return { ...state, screen: turned(state.screen, action.by), help: false };
    case 'move':
      return selectAt(state, selectedIndex(state) + action.by);
    case 'page':
      return selectAt(state, selectedIndex(state) + action.by * pageRows(state.size));
    case 'edge':
      return selectAt(state, action.to === 'first' ? 0 : Number.MAX_SAFE_INTEGER);
    case 'help':
      return { ...state, help: !state.help };
    case 'freeze':
      return freeze(state);
    case 'sort':
      return withList(state, { sort: following(SORTS[state.screen], current(state).sort) });
    case 'reverse':
      return withList(state, { reverse: !current(state).reverse });
    case 'back':
      return back(state);
    case 'filterOpen':
    case 'filterType':
    case 'filterErase':
    case 'filterClose':
      return editFilter(state, action);
  }
}

function editFilter(state: DashboardState, action: Extract<Action, { readonly type: `filter${string}` }>): DashboardState {
  const { filter } = current(state);
  switch (action.type) {
    case 'filterOpen':
      return { ...state, help: false, editing: { before: filter } };
    case 'filterType':
      return withList(state, { filter: (filter + action.text).slice(0, MAX_FILTER_LENGTH) });
    case 'filterErase':
      return withList(state, { filter: action.all ? '' : filter.slice(0, -1) });
    case 'filterClose':
      return { ...withList(state, { filter: action.keep ? filter : (state.editing?.before ?? '') }), editing: null };
  }
}

/** Closes the uppermost thing: help, then the filter, then the freeze, then the screen. */
function back(state: DashboardState): DashboardState {
  if (state.help) return { ...state, help: false };
  if (current(state).filter !== '') return withList(state, { filter: '' });
  if (state.frozen !== null) return { ...state, frozen: null };
  return { ...state, screen: 'overview' };
}

function freeze(state: DashboardState): DashboardState {
  if (state.frozen !== null) return { ...state, frozen: null };
  return state.latest === null ? state : { ...state, frozen: { snapshot: state.latest, atMs: state.nowMs } };
}

/** The first loss is the one that counts; later failed attempts only bring a newer reason. */
function lose(link: Link, reason: string, atMs: number): Link {
  return { kind: 'lost', reason, sinceMs: link.kind === 'lost' ? link.sinceMs : atMs };
}

function turned(screen: ScreenName, by: 1 | -1): ScreenName {
  return SCREENS[(SCREENS.indexOf(screen) + by + SCREENS.length) % SCREENS.length] ?? screen;
}

function following(names: readonly string[], name: string): string {
  return names[(names.indexOf(name) + 1) % names.length] ?? name;
}

export function current(state: DashboardState): ListState {
  return state.lists[state.screen];
}

function withList(state: DashboardState, change: Partial<ListState>): DashboardState {
  return { ...state, lists: { ...state.lists, [state.screen]: { ...current(state), ...change } } };
}

function currentIds(state: DashboardState): readonly string[] {
  return rowIds(shown(state).snapshot?.status ?? null, state.screen, current(state));
}

/** Half a screen, so that what was read last stays in sight. */
function pageRows(size: Size): number {
  return Math.max(1, Math.floor(size.rows / 2));
}

/** Where the selected row is now; its last place when it is gone. */
export function indexOfSelection(ids: readonly string[], selection: Selection): number {
  const found = selection.id === null ? 0 : ids.indexOf(selection.id);
  return found >= 0 ? found : Math.min(selection.index, Math.max(0, ids.length - 1));
}

function selectedIndex(state: DashboardState): number {
  return indexOfSelection(currentIds(state), current(state).selection);
}

function selectAt(state: DashboardState, wanted: number): DashboardState {
  const ids = currentIds(state);
  const index = Math.max(0, Math.min(wanted, ids.length - 1));
  // The top of the events follows what comes in; everywhere else a row is a row.
  const id = state.screen === 'events' && index === 0 ? null : (ids[index] ?? null);
  return withList(state, { selection: { id, index } });
}

/**
 * Ties the selection to the row it now stands on. While there are no rows it waits for its row to come back, and while a filter is typed
 * too: half a word may hide the row that the whole word shows.
 */
function settle(state: DashboardState): DashboardState {
  if (state.editing !== null) return state;
  const ids = currentIds(state);
  const { selection } = current(state);
  if (ids.length === 0 || (state.screen === 'events' && selection.id === null)) return state;
  const index = indexOfSelection(ids, selection);
  const id = ids[index] ?? null;
  return id === selection.id && index === selection.index ? state : withList(state, { selection: { id, index } });
}
