// A stretch of time before now that charts show in place of the last minute: which one, what the history is asked for it, how keys move it; the
// seconds before those that this dashboard has seen; and the health of a cluster over the last hour. Pure.
import type { HistoryRequest, HistoryStep } from '../../balancer/controller/api/history-view.ts';
import { formatTimeOfDay } from './format.ts';
import { shownService } from './going.ts';
import { lookingAt, selectedId, selectedSubject } from './lists.ts';
import { SCREENS } from './screens/registry.ts';
import { applianceTimeMs, ask, type DashboardState, type HistorySeries, type Past, type ScreenName, shown } from './state.ts';

export type PastAction =
  /** Half of the stretch back, or on. */
  | { readonly type: 'past'; readonly by: 1 | -1 }
  /** A longer stretch, or a shorter one. */
  | { readonly type: 'span'; readonly by: 1 | -1 }
  | { readonly type: 'history'; readonly ask: number; readonly series: readonly HistorySeries[] | null; readonly problem: string | null };

/** What a chart is of, as the history names it. */
export interface Charted {
  readonly of: string;
  /** With the latencies of each point. */
  readonly histogram?: true;
}

/** A time that a row tells of, and what of the appliance it concerns. */
export interface Moment {
  readonly atMs: number;
  readonly cluster?: string | undefined;
  readonly service?: string | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SPANS_MS: readonly number[] = [
  ...[10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS],
  ...[DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS, 365 * DAY_MS],
];
const FIRST_SPAN_MS = 10 * MINUTE_MS;
/** Of what is older the history has no points fine enough for the first span. */
const FINE_MS = 6 * HOUR_MS;
const TIMELINE_MS = HOUR_MS;
/** Workers tell what they have counted a second later. */
const LATE_MS = 2000;
/** What ends now is asked for anew this often. */
const REFRESH_MS = 10_000;

/** As the history keeps them. */
const STEPS: readonly { readonly step: HistoryStep; readonly stepMs: number; readonly keptMs: number }[] = [
  { step: '1s', stepMs: 1000, keptMs: 10 * MINUTE_MS },
  { step: '10s', stepMs: 10_000, keptMs: FINE_MS },
  { step: '1m', stepMs: MINUTE_MS, keptMs: 7 * DAY_MS },
  { step: '1h', stepMs: HOUR_MS, keptMs: 400 * DAY_MS },
];
const KEPT_MS = 400 * DAY_MS;
/** Steps of one series that are read for one chart; of all clusters no more than are drawn. */
const MOST_READ = 2500;
/** Cells of a line that are no chart. */
const LABELS_WIDTH = 11;
const LEAST_POINTS = 20;

export function reducePast(state: DashboardState, action: PastAction): DashboardState {
  switch (action.type) {
    case 'past':
      return SCREENS[state.screen].charts === null && action.by > 0 ? toMoment(state) : moved(state, action.by);
    case 'span':
      return spanned(state, action.by);
    case 'history':
      return answered(state, action);
  }
}

function answered(
  state: DashboardState,
  { ask: number, series, problem }: Extract<PastAction, { readonly type: 'history' }>,
): DashboardState {
  const { past, timeline, lately } = state;
  const whole = series?.map((each) => wholePoints(each, (nowOf(state) ?? Infinity) - LATE_MS)) ?? null;
  if (timeline?.ask === number) return { ...state, timeline: { ...timeline, series: whole?.[0] ?? null } };
  if (lately?.ask === number) return { ...state, lately: { ...lately, series: whole?.[0] ?? lately.series } };
  if (past?.ask !== number) return state;
  return { ...state, past: { ...past, series: whole === null ? null : new Map(whole.map((each) => [each.of, each])), problem } };
}

/** Without the points that are not over: half a step looks like half of the requests. */
function wholePoints(series: HistorySeries, untilMs: number): HistorySeries {
  const { startMs, stepMs, rps } = series;
  const count = Math.max(1, Math.min(rps.length, Math.floor((untilMs - startMs) / stepMs)));
  if (count === rps.length) return series;
  const { errorRatio, p95Ms, p99Ms, effectiveShare, health, histogram } = series;
  return {
    ...{ of: series.of, startMs, stepMs, rps: rps.slice(0, count), errorRatio: errorRatio.slice(0, count) },
    ...{ p95Ms: p95Ms.slice(0, count), p99Ms: p99Ms.slice(0, count), effectiveShare: effectiveShare.slice(0, count) },
    ...{ health: health.slice(0, count), histogram: histogram.slice(0, count) },
  };
}

/** Until when a stretch goes: of the appliance's clock. Null: there is no news, hence no clock. */
function nowOf(state: DashboardState): number | null {
  const { snapshot, nowMs } = shown(state);
  return snapshot === null ? null : applianceTimeMs(snapshot, nowMs);
}

/** A stretch for which nothing was asked yet. */
function stretch(spanMs: number, endMs: number | null, jumped = false): Past {
  return { spanMs, endMs, jumped, asked: null, askedAtMs: 0, series: null, problem: null, ask: 0 };
}

function moved(state: DashboardState, by: 1 | -1): DashboardState {
  const { past } = state;
  const now = nowOf(state);
  if (now === null) return state;
  if (past === null) return by > 0 ? { ...state, past: stretch(FIRST_SPAN_MS, null) } : state;
  if (past.endMs === null && by < 0) return { ...state, past: null };
  const endMs = (past.endMs ?? now) - (by * past.spanMs) / 2;
  if (now - endMs + past.spanMs > KEPT_MS) return said(state, 'nothing older is kept');
  return { ...state, past: stretch(past.spanMs, endMs >= now ? null : endMs, past.jumped) };
}

/** What ends now goes on to end now; of another stretch the middle stays where it is. */
function spanned(state: DashboardState, by: 1 | -1): DashboardState {
  const { past } = state;
  const now = nowOf(state);
  if (now === null || SCREENS[state.screen].charts === null) return state;
  if (past === null) return by > 0 ? { ...state, past: stretch(FIRST_SPAN_MS, null) } : state;
  const spanMs = SPANS_MS[SPANS_MS.indexOf(past.spanMs) + by];
  if (spanMs === undefined) return by < 0 && past.endMs === null ? { ...state, past: null } : state;
  const endMs = past.endMs === null ? now : past.endMs + (spanMs - past.spanMs) / 2;
  return { ...state, past: stretch(spanMs, endMs >= now ? null : endMs, past.jumped) };
}

/** To the charts of what the selected row concerns, with the time that it tells of in the middle. */
function toMoment(state: DashboardState): DashboardState {
  const looking = lookingAt(state);
  const id = selectedId(state);
  const now = nowOf(state);
  const moment = looking === null || id === null ? null : SCREENS[state.screen].momentOf(looking, id);
  if (moment === null || now === null || !Number.isFinite(moment.atMs)) return state;
  const { cluster, service, atMs } = moment;
  const screen: ScreenName = cluster !== undefined ? 'cluster' : service !== undefined ? 'service' : 'latency';
  const spanMs = now - atMs > FINE_MS ? HOUR_MS : FIRST_SPAN_MS;
  const endMs = atMs + spanMs / 2;
  return shownService({
    ...state,
    ...{ screen, stack: [state.screen, ...state.stack].slice(0, 10), past: stretch(spanMs, endMs >= now ? null : endMs, true) },
    subjects: { cluster: cluster ?? state.subjects.cluster, service: service ?? state.subjects.service },
  });
}

function said(state: DashboardState, text: string): DashboardState {
  return { ...state, said: { text, ok: false, atMs: state.nowMs } };
}

/** Asks for what the screen shows of the past, if that was not asked for yet, or is of now and old. */
export function followTime(state: DashboardState): DashboardState {
  return state.frozen === null ? followLately(followTimeline(followPast(state))) : followPast(state);
}

function followPast(state: DashboardState): DashboardState {
  const { past, nowMs } = state;
  if (past === null) return state;
  const charted = chartedOn(state);
  const now = nowOf(state);
  if (charted === null || now === null) return state;
  const same = past.asked?.of === charted.of && past.asked.histogram === charted.histogram;
  const old = past.endMs === null && state.frozen === null && nowMs - past.askedAtMs >= REFRESH_MS;
  if (same && !old) return state;
  const next: Past = { ...past, asked: charted, askedAtMs: nowMs, ask: state.nextAsk, ...(same ? {} : { series: null, problem: null }) };
  const toMs = past.endMs ?? now;
  const request = requestOf(charted, { fromMs: toMs - past.spanMs, toMs, nowMs: now, points: pointsOf(state) });
  return ask({ ...state, past: next }, { kind: 'history', lane: 'past', request });
}

/** Asks at once, without the seconds that are not kept yet, and again when they are; anew where the seconds begin anew, with another controller. */
function followLately(state: DashboardState): DashboardState {
  const { past, heat, lately } = state;
  const [charted, now, points] = [chartedOn(state), nowOf(state), pointsOf(state)];
  const first = firstSecondMs(state);
  if (past !== null || charted === null || charted.of.endsWith('*') || now === null || first === null || heat.length >= points)
    return state;
  const whole = heat.length * 1000 > LATE_MS;
  const same = lately?.of === charted.of;
  if (same && lately.whole === whole) return state;
  const next = { of: charted.of, series: same ? lately.series : null, whole, ask: state.nextAsk };
  // A range that does not begin with a second touches one more; of more steps than points neighbours would become one.
  const range = { fromMs: first - points * 1000, toMs: first, nowMs: now, points: points + 2 };
  return ask(
    { ...state, lately: next },
    { kind: 'history', lane: 'lately', request: requestOf({ of: charted.of, histogram: true }, range) },
  );
}

/** When the first second began that this dashboard has seen, of the appliance's clock; null: it has seen none. */
export function firstSecondMs(state: DashboardState): number | null {
  const { latest: snapshot, heat } = state;
  const [first, last] = [heat[0], heat.at(-1)];
  if (snapshot === null || first === undefined || last === undefined) return null;
  return applianceTimeMs(snapshot, snapshot.receivedAtMs) - (last.second - first.second + 1) * 1000;
}

/** Null: the screen has no charts, or there is nothing yet that they could be of. */
function chartedOn(state: DashboardState): Charted | null {
  const looking = lookingAt(state);
  return looking === null ? null : (SCREENS[state.screen].charts?.(looking, selectedId(state)) ?? null);
}

function followTimeline(state: DashboardState): DashboardState {
  if (state.screen !== 'cluster' || state.past !== null) return state;
  const now = nowOf(state);
  const { cluster } = selectedSubject(state);
  if (now === null || cluster === undefined) return state;
  const { timeline, nowMs } = state;
  const same = timeline?.of === cluster;
  if (same && nowMs - timeline.askedAtMs < REFRESH_MS) return state;
  const next = { of: cluster, series: same ? timeline.series : null, askedAtMs: nowMs, ask: state.nextAsk };
  const range = { fromMs: now - TIMELINE_MS, toMs: now, nowMs: now, points: pointsOf(state) };
  return ask({ ...state, timeline: next }, { kind: 'history', lane: 'timeline', request: requestOf({ of: `cluster/${cluster}` }, range) });
}

function pointsOf({ size }: DashboardState): number {
  return Math.max(LEAST_POINTS, size.columns - LABELS_WIDTH);
}

interface AskedRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  readonly points: number;
}

/** In the finest step that is kept for all of it: neighbours are added up, so that no peak is lost between points. */
function requestOf({ of, histogram }: Charted, { fromMs, toMs, nowMs, points }: AskedRange): HistoryRequest {
  const most = of.endsWith('*') ? points : MOST_READ;
  const fits = STEPS.find(({ stepMs, keptMs }) => nowMs - fromMs <= keptMs && (toMs - fromMs) / stepMs <= most);
  return {
    ...{ series: of, from: String(Math.round(fromMs)), to: String(Math.round(toMs)), points },
    ...{ step: fits?.step ?? 'auto', ...(histogram === true ? { histogram } : {}) },
  };
}

/** `last 10 min`, `10 min to 11:34`, `7 days to 11-20 11:34` */
export function pastText({ spanMs, endMs }: Pick<Past, 'spanMs' | 'endMs'>, nowMs: number): string {
  const span = spanText(spanMs);
  if (endMs === null) return `last ${span}`;
  const day = dayOf(endMs) === dayOf(nowMs) ? '' : `${dayOf(endMs).slice(5)} `;
  return `${span} to ${day}${formatTimeOfDay(endMs).slice(0, 5)}`;
}

export function dayOf(wallMs: number): string {
  return Number.isFinite(wallMs) ? new Date(wallMs).toISOString().slice(0, 10) : '';
}

export function spanText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  const days = Math.round(ms / DAY_MS);
  return days === 1 ? '1 day' : `${days} days`;
}
