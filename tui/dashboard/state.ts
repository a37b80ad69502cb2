// What the dashboard knows and shows, as one value, and how it is looked at. Pure: no terminal, no network, no clock.
import type { ChangeRequest, ChangeResult, ClusterView, ResultsView, RouteView, StatusView } from '../../balancer/controller/api/views.ts';
import type { HistoryRequest } from '../../balancer/controller/api/history-view.ts';
import type { ContextSettings } from '../contexts.ts';
import type { ActPlan, InsideAct } from '../inside-acts.ts';
import type { FeedExtras } from './decode.ts';
import type { Size } from './frame.ts';
import type { Look } from './look.ts';
import type { Charted } from './past.ts';
import type { Subject } from './screen-definition.ts';

export type ScreenName = 'overview' | 'services' | 'cluster' | 'changes' | 'edges' | 'latency' | 'events' | 'service';

/** Kept by identity: rows that move, come or go do not change what is selected. */
export interface Selection {
  /** Null: the first row, whichever that is. */
  readonly id: string | null;
  /** Where it was last seen; takes over when the row is gone. */
  readonly index: number;
}

/** How a list is looked at. */
export interface ListState {
  readonly filter: string;
  /** One of the sorts of the screen. */
  readonly sort: string;
  readonly reverse: boolean;
  /** Columns that are not drawn. */
  readonly hidden: readonly string[];
  readonly selection: Selection;
  /** Rows that acts are about, in place of the selected one. */
  readonly marks: readonly string[];
}

/** News and when it came, on the dashboard's own monotonic clock. */
export interface Snapshot {
  readonly status: StatusView;
  /** Null: the appliance tells its status alone. */
  readonly extras: FeedExtras | null;
  readonly receivedAtMs: number;
}

export type Link = { readonly kind: 'live' } | { readonly kind: 'lost'; readonly sinceMs: number; readonly reason: string };

/** What screens are about that show one thing. */
export interface Subjects {
  readonly cluster: string | null;
  readonly service: string | null;
}

/** Latencies of the seconds that this dashboard has seen, newest last. */
export interface HeatColumn {
  readonly second: number;
  /** By what the latencies are of: `all`, `cluster/NAME`, `service/NAME`. */
  readonly counts: ReadonlyMap<string, readonly number[]>;
  /** 0 to 1, over the last seconds, by the same names. */
  readonly errors: ReadonlyMap<string, number>;
}

/** A stretch of time that charts show in place of the last minute. */
export interface Past {
  readonly spanMs: number;
  /** When it ends, of the appliance's clock; null: now, and it goes on with it. */
  readonly endMs: number | null;
  /** The time of a row somewhere else: the way back leads there. */
  readonly jumped: boolean;
  /** What was asked for, and when, of the dashboard's clock; null: nothing yet. */
  readonly asked: Charted | null;
  readonly askedAtMs: number;
  /** What was found, by what it is of; null: it is being asked for. */
  readonly series: ReadonlyMap<string, HistorySeries> | null;
  readonly problem: string | null;
  readonly ask: number;
}

/** The health of a cluster over the last hour. */
export interface Timeline {
  readonly of: string;
  /** Null: it is being asked for, or not to be had. */
  readonly series: HistorySeries | null;
  readonly askedAtMs: number;
  readonly ask: number;
}

/** The seconds before this dashboard's first, with which charts of now begin. */
export interface Lately {
  readonly of: string;
  /** Null: it is being asked for, or not to be had. */
  readonly series: HistorySeries | null;
  /** It was asked for when the last of them was kept too. */
  readonly whole: boolean;
  readonly ask: number;
}

/** Equally long columns, the first at `startMs` (since 1970); null: nothing is known of that time. */
export interface HistorySeries {
  readonly of: string;
  readonly startMs: number;
  readonly stepMs: number;
  readonly rps: readonly (number | null)[];
  readonly errorRatio: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  /** The share of its service, of versions, and the worst health of the step, of clusters; empty: of something else. */
  readonly effectiveShare: readonly (number | null)[];
  readonly health: readonly (ClusterView['health'] | null)[];
  /** Requests per bucket of latency, point by point; empty: not asked for. */
  readonly histogram: readonly (readonly number[] | null)[];
}

/** One act of this session, as a command line, and what became of it. */
export interface LogEntry {
  /** Of the appliance's clock. */
  readonly atMs: number;
  readonly line: string;
  readonly outcome: string;
  readonly ok: boolean;
}

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** The only values; null: text. */
  readonly choices: readonly string[] | null;
  readonly hint: string;
}

/** What a plan overlay knows of the change, or of something else, that it shows. */
export type Planned =
  | { readonly kind: 'change'; readonly request: ChangeRequest; readonly result: ChangeResult }
  | { readonly kind: 'act'; readonly plan: ActPlan };

export type PlanPhase =
  /** The appliance is asked what it would come to. `says`: of what stays until something has come true, what holds instead. */
  | { readonly kind: 'asking'; readonly says: string | null }
  /** It is not to be had, and why. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'shown' }
  /** One more key does it. */
  | { readonly kind: 'armed' }
  /** The word has to be typed. */
  | { readonly kind: 'typed'; readonly question: string; readonly word: string; readonly typed: string }
  | { readonly kind: 'applying' }
  | { readonly kind: 'applied'; readonly result: ChangeResult }
  /** Something else than a change is done. */
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'failed'; readonly message: string };

export interface WeightValue {
  readonly name: string;
  /** 0 to 100, to a ten-thousandth. */
  readonly percent: number;
}

/** What a line of a menu leads to: a command, or an act on what was chosen. */
export type MenuItem =
  | { readonly label: string; readonly words: readonly string[] }
  | { readonly label: string; readonly act: string; readonly subject: Subject };

/** Whatever lies over the screen; one at a time. */
export type Overlay =
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'alerts'; readonly index: number }
  | { readonly kind: 'log'; readonly scroll: number }
  | { readonly kind: 'text'; readonly title: string; readonly lines: readonly string[]; readonly scroll: number }
  | { readonly kind: 'columns'; readonly index: number }
  | { readonly kind: 'views'; readonly names: readonly string[]; readonly index: number }
  | { readonly kind: 'name'; readonly purpose: 'view'; readonly text: string }
  | { readonly kind: 'command'; readonly text: string; readonly candidates: readonly string[]; readonly past: number | null }
  | {
      readonly kind: 'menu';
      readonly title: string;
      readonly items: readonly MenuItem[];
      readonly index: number;
    }
  | {
      readonly kind: 'form';
      readonly act: string;
      readonly title: string;
      readonly subject: string;
      readonly fields: readonly FormField[];
      readonly index: number;
    }
  | {
      readonly kind: 'weights';
      /** What the percentages divide: a service among its versions or clusters; or the dial of one cluster. */
      readonly of: 'versions' | 'clusters' | 'dial';
      readonly subject: string;
      readonly before: readonly WeightValue[];
      readonly values: readonly WeightValue[];
      readonly index: number;
      /** Digits of the figure that is typed for the active one; empty: none. */
      readonly typed: string;
      /** Null: it is being asked for. */
      readonly preview: { readonly result: ChangeResult | null; readonly problem: string | null } | null;
      readonly ask: number;
    }
  | {
      readonly kind: 'plan';
      readonly words: readonly string[];
      readonly planned: Planned | null;
      readonly phase: PlanPhase;
      /** Those that follow, of several marked rows. */
      readonly queue: readonly (readonly string[])[];
      /** While it is typed. */
      readonly reason: string | null;
      readonly ask: number;
    };

/** Something that only the world outside can do; asked once, answered by an action with the same number. */
export type Ask = { readonly number: number } & AskKind;

export type AskKind =
  /** What a command line comes to: a change is not made, but told what it would do. `preview`: for the editor of weights. */
  | { readonly kind: 'line'; readonly words: readonly string[]; readonly preview: boolean }
  | { readonly kind: 'apply'; readonly request: ChangeRequest; readonly words: readonly string[] }
  | { readonly kind: 'make'; readonly act: InsideAct; readonly yes: boolean; readonly words: readonly string[] }
  /** Whoever asked for it has left. */
  | { readonly kind: 'leave'; readonly of: number }
  | { readonly kind: 'complete'; readonly words: readonly string[] }
  | { readonly kind: 'copy'; readonly text: string }
  | { readonly kind: 'export'; readonly screen: ScreenName; readonly rows: unknown }
  | { readonly kind: 'results'; readonly service: string }
  /** One question of a lane is under way at most; of those asked meanwhile the last one follows. */
  | { readonly kind: 'history'; readonly lane: 'past' | 'timeline' | 'lately'; readonly request: HistoryRequest }
  /** What is to be done about an alert. */
  | { readonly kind: 'runbook'; readonly code: string; readonly text: string }
  | { readonly kind: 'views' }
  | { readonly kind: 'openView'; readonly name: string }
  | { readonly kind: 'saveView'; readonly name: string; readonly view: SavedView };

/** What is saved of how a screen is looked at. */
export interface SavedView {
  readonly screen: ScreenName;
  readonly filter: string;
  readonly sort: string;
  readonly reverse: boolean;
  readonly hidden: readonly string[];
}

export interface DashboardState {
  /** Where the appliance is, as a person would say it. */
  readonly where: string;
  readonly context: ContextSettings | null;
  readonly readOnly: boolean;
  /** News is shown this often. */
  readonly intervalMs: number;
  readonly size: Size;
  readonly nowMs: number;
  readonly link: Link;
  readonly latest: Snapshot | null;
  /** What is held on the screen, and since when. */
  readonly frozen: { readonly snapshot: Snapshot; readonly atMs: number } | null;
  readonly screen: ScreenName;
  /** Where `back` goes, the last one first. */
  readonly stack: readonly ScreenName[];
  readonly lists: Readonly<Record<ScreenName, ListState>>;
  readonly subjects: Subjects;
  /** While the filter line is open: what the filter was before. */
  readonly editing: { readonly before: string } | null;
  readonly overlay: Overlay | null;
  readonly look: Look;
  /** What the terminal was found to show. */
  readonly firstLook: Look;
  readonly mouse: boolean;
  readonly log: readonly LogEntry[];
  /** Lines of the command line, newest first. */
  readonly typed: readonly string[];
  /** Said in the footer until something else is. */
  readonly said: { readonly text: string; readonly ok: boolean; readonly atMs: number } | null;
  readonly heat: readonly HeatColumn[];
  readonly past: Past | null;
  readonly timeline: Timeline | null;
  readonly lately: Lately | null;
  /** The versions of the service that is looked at, side by side. */
  readonly results: ResultsView | null;
  /** Those that lead to it; null: not known. */
  readonly routes: { readonly service: string; readonly items: readonly RouteView[] } | null;
  /** To be done by whoever runs the dashboard, who takes them away. */
  readonly asks: readonly Ask[];
  /** The number of the next one. */
  readonly nextAsk: number;
}

/** What is drawn: the frozen snapshot if there is one. `nowMs` stands still with it, so ages on a frozen screen do too. */
export function shown(state: DashboardState): { readonly snapshot: Snapshot | null; readonly nowMs: number } {
  return state.frozen === null
    ? { snapshot: state.latest, nowMs: state.nowMs }
    : { snapshot: state.frozen.snapshot, nowMs: state.frozen.atMs };
}

/** Older than two pieces of news and a little. */
export function staleAfterMs({ intervalMs }: Pick<DashboardState, 'intervalMs'>): number {
  return 2 * Math.max(1000, intervalMs) + 1000;
}

/** Is what is drawn too old to be believed? */
export function isStale(state: DashboardState): boolean {
  if (state.link.kind === 'lost' || state.latest === null) return true;
  return state.nowMs - state.latest.receivedAtMs > staleAfterMs(state);
}

/** The same number goes to who answers. */
export function ask(state: DashboardState, kind: AskKind): DashboardState {
  return { ...state, asks: [...state.asks, { ...kind, number: state.nextAsk }], nextAsk: state.nextAsk + 1 };
}

export function current(state: DashboardState): ListState {
  return state.lists[state.screen];
}

/** Where the selected row is now; its last place when it is gone. */
export function indexOfSelection(ids: readonly string[], selection: Selection): number {
  const found = selection.id === null ? 0 : ids.indexOf(selection.id);
  return found >= 0 ? found : Math.min(selection.index, Math.max(0, ids.length - 1));
}

/** What the appliance's clock shows at `nowMs` of the dashboard's: both clocks are never compared, so they need not agree. */
export function applianceTimeMs(snapshot: Snapshot, nowMs: number): number {
  return Date.parse(snapshot.status.at) + (nowMs - snapshot.receivedAtMs);
}

/** May this session change traffic at all? */
export function isReadOnly(state: DashboardState): boolean {
  return state.readOnly || state.context?.readOnly === true || (state.latest?.status.role ?? 'read') === 'read';
}
