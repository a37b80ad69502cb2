// The list of a screen as it is moved through, filtered, ordered, marked and kept. Pure.
import { SCREENS } from './screens/registry.ts';
import type { Looking, Subject } from './screen-definition.ts';
import { current, type DashboardState, indexOfSelection, type ListState, type ScreenName, shown } from './state.ts';

/** Longer filters do not fit any line. */
const MAX_FILTER_LENGTH = 80;

export type ListAction =
  | { readonly type: 'move'; readonly by: number }
  | { readonly type: 'page'; readonly by: 1 | -1 }
  | { readonly type: 'edge'; readonly to: 'first' | 'last' }
  | { readonly type: 'select'; readonly id: string }
  | { readonly type: 'mark' }
  | { readonly type: 'unmark' }
  | { readonly type: 'sort' }
  | { readonly type: 'sortBy'; readonly sort: string }
  | { readonly type: 'reverse' }
  | { readonly type: 'filterOpen' }
  | { readonly type: 'filterType'; readonly text: string }
  | { readonly type: 'filterErase'; readonly all: boolean }
  | { readonly type: 'filterClose'; readonly keep: boolean };

export function initialList(screen: ScreenName): ListState {
  return { filter: '', sort: SCREENS[screen].sorts[0] ?? '', reverse: false, hidden: [], marks: [], selection: { id: null, index: 0 } };
}

/** What the screen of now is made from; null: there is no news yet. */
export function lookingAt(state: DashboardState): Looking | null {
  const { snapshot } = shown(state);
  return snapshot === null ? null : { state, snapshot, list: current(state) };
}

export function currentIds(state: DashboardState): readonly string[] {
  const looking = lookingAt(state);
  return looking === null ? [] : SCREENS[state.screen].ids(looking);
}

/** The row that stands out; null: there is none. */
export function selectedId(state: DashboardState): string | null {
  const ids = currentIds(state);
  return ids[indexOfSelection(ids, current(state).selection)] ?? null;
}

/** What the selected row is about; on a screen about one thing, that too. */
export function selectedSubject(state: DashboardState): Subject {
  const id = selectedId(state);
  const row = id === null ? {} : subjectOfRow(state, id);
  const { about } = SCREENS[state.screen];
  const { cluster, service } = state.subjects;
  const shownCluster = cluster ?? shown(state).snapshot?.status.clusters[0]?.name;
  if (about === 'cluster') return { ...row, ...(shownCluster === undefined ? {} : { cluster: shownCluster }) };
  return about === 'service' && service !== null ? { service, ...row } : row;
}

/** What a row of the screen of now is about. */
export function subjectOfRow(state: DashboardState, id: string): Subject {
  const looking = lookingAt(state);
  return looking === null ? {} : SCREENS[state.screen].subjectOf(looking, id);
}

/** What acts are about: the marked rows, in the order drawn, else the selected one. */
export function chosenSubjects(state: DashboardState): readonly Subject[] {
  const { marks } = current(state);
  const marked = marks.length === 0 ? [] : currentIds(state).filter((id) => marks.includes(id));
  return marked.length === 0 ? [selectedSubject(state)] : marked.map((id) => subjectOfRow(state, id));
}

export function withList(state: DashboardState, change: Partial<ListState>): DashboardState {
  return { ...state, lists: { ...state.lists, [state.screen]: { ...current(state), ...change } } };
}

export function reduceList(state: DashboardState, action: ListAction): DashboardState {
  const list = current(state);
  switch (action.type) {
    case 'move':
      return selectAt(state, selectedIndex(state) + action.by);
    case 'page':
      // Half a screen, so that what was read last stays in sight.
      return selectAt(state, selectedIndex(state) + action.by * Math.max(1, Math.floor(state.size.rows / 2)));
    case 'edge':
      return selectAt(state, action.to === 'first' ? 0 : Number.MAX_SAFE_INTEGER);
    case 'select':
      return selectAt(state, Math.max(0, currentIds(state).indexOf(action.id)));
    case 'mark':
      return mark(state);
    case 'unmark':
      return withList(state, { marks: [] });
    case 'sort':
      return withList(state, { sort: following(SCREENS[state.screen].sorts, list.sort) });
    case 'sortBy':
      return action.sort === list.sort
        ? withList(state, { reverse: !list.reverse })
        : withList(state, { sort: action.sort, reverse: false });
    case 'reverse':
      return withList(state, { reverse: !list.reverse });
    case 'filterOpen':
      return { ...state, overlay: null, editing: { before: list.filter } };
    case 'filterType':
      return withList(state, { filter: (list.filter + action.text).slice(0, MAX_FILTER_LENGTH) });
    case 'filterErase':
      return withList(state, { filter: action.all ? '' : list.filter.slice(0, -1) });
    case 'filterClose':
      return { ...withList(state, { filter: action.keep ? list.filter : (state.editing?.before ?? '') }), editing: null };
  }
}

/** Marks the row, or takes its mark away, and goes on to the next one. */
function mark(state: DashboardState): DashboardState {
  const id = selectedId(state);
  if (id === null) return state;
  const { marks } = current(state);
  const marked = withList(state, { marks: marks.includes(id) ? marks.filter((each) => each !== id) : [...marks, id] });
  return selectAt(marked, selectedIndex(marked) + 1);
}

function following(names: readonly string[], name: string): string {
  return names[(names.indexOf(name) + 1) % names.length] ?? name;
}

function selectedIndex(state: DashboardState): number {
  return indexOfSelection(currentIds(state), current(state).selection);
}

function selectAt(state: DashboardState, wanted: number): DashboardState {
  const ids = currentIds(state);
  const index = Math.max(0, Math.min(wanted, ids.length - 1));
  // The top of a list of what happens follows what comes in; everywhere else a row is a row.
  const id = SCREENS[state.screen].follows && index === 0 ? null : (ids[index] ?? null);
  return withList(state, { selection: { id, index } });
}

/**
 * Ties the selection to the row it now stands on. While there are no rows it waits for its row to come back, and while a filter is typed
 * too: half a word may hide the row that the whole word shows.
 */
export function settle(state: DashboardState): DashboardState {
  if (state.editing !== null) return state;
  const ids = currentIds(state);
  const { selection } = current(state);
  if (ids.length === 0 || (SCREENS[state.screen].follows && selection.id === null)) return state;
  const index = indexOfSelection(ids, selection);
  const id = ids[index] ?? null;
  return id === selection.id && index === selection.index ? state : withList(state, { selection: { id, index } });
}
