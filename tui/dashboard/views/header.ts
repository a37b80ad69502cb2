// The top of every screen: who and where, the totals, and one line per thing that is wrong; and the bottom: keys or the filter being typed.
import type { ApprovalView, GlideView, StatusView } from '../../../balancer/controller/api/views.ts';
import { countdown } from '../../format.ts';
import { type Cell, cell, type ContextStyle, type Frame, type Hit, type Line, lineWidth, withHit } from '../frame.ts';
import { formatAge, formatLatency, formatOkRatio, formatRate, formatTimeOfDay } from '../format.ts';
import { SCREENS, TABS } from '../screens/registry.ts';
import {
  applianceTimeMs,
  current,
  type DashboardState,
  isReadOnly,
  isStale,
  type ScreenName,
  shown,
  type Snapshot,
  staleAfterMs,
} from '../state.ts';
import { pastText } from '../past.ts';
import { fittingParts, type LinePart } from './parts.ts';

/** ` weir edge-1  rev 42 (alice, 3m)  [RO] read  workers 2/2            12:04:31` */
export function headerLine(state: DashboardState): Line {
  const { snapshot, nowMs } = shown(state);
  const access: Cell = cell(isReadOnly(state) ? '  [RO]' : '  [RW]', 'accent');
  if (snapshot === null) return [cell(' weir', 'title'), ...contextCells(state), cell(`  ${state.where}`), access];
  const { status } = snapshot;
  const time = formatTimeOfDay(applianceTimeMs(snapshot, nowMs));
  const missing = status.workersReady < status.workers;
  const parts: LinePart[] = [
    { keep: 9, line: [cell(' weir', 'title'), cell(` ${status.host.slice(0, 20)}`, 'title')] },
    { keep: 10, line: contextCells(state) },
    { keep: 8, line: [cell(`  rev ${status.revision}`)] },
    { keep: 3, line: [cell(authorText(snapshot, nowMs), 'dim')] },
    { keep: 7, line: [access] },
    { keep: 1, line: [cell(` ${status.role}`, 'dim')] },
    { keep: 6, line: [cell('  workers '), cell(`${status.workersReady}/${status.workers}`, missing ? 'bad' : 'plain')] },
    ...marks(state),
    { keep: 2, line: [cell(' '), cell(time, 'dim')] },
  ];
  const cells = fittingParts(parts, state.size.columns).flatMap((part) => part.line);
  if (cells.at(-1)?.text !== time) return cells;
  // The time stands at the right edge.
  return [...cells.slice(0, -1), cell(' '.repeat(Math.max(0, state.size.columns - lineWidth(cells)))), cell(time, 'dim')];
}

/** The context in its colour, its name beside it: who works on production should see it in every frame. */
function contextCells({ context }: DashboardState): Line {
  if (context === null) return [];
  const style: ContextStyle | 'accent' = context.color === null ? 'accent' : `context-${context.color}`;
  return [cell(' '), cell(` ${context.name.slice(0, 16)} `, style)];
}

function authorText(snapshot: Snapshot, nowMs: number): string {
  const { lastRevision } = snapshot.status;
  if (lastRevision === null) return '';
  const ageMs = applianceTimeMs(snapshot, nowMs) - Date.parse(lastRevision.at);
  return ` (${lastRevision.author.slice(0, 16)}, ${Number.isFinite(ageMs) ? formatAge(ageMs) : '?'})`;
}

function marks(state: DashboardState): readonly LinePart[] {
  const parts: LinePart[] = [...glideMark(state), ...timedMark(state)];
  if (state.frozen !== null) parts.push({ keep: 5, line: [cell(`  [FROZEN ${formatAge(state.nowMs - state.frozen.atMs)}]`, 'warn')] });
  const { snapshot, nowMs } = shown(state);
  if (state.past !== null && snapshot !== null && SCREENS[state.screen].charts !== null)
    parts.push({ keep: 5, line: [cell(`  [PAST ${pastText(state.past, applianceTimeMs(snapshot, nowMs))}]`, 'warn')] });
  if (isStale(state) && state.latest !== null) {
    parts.push({ keep: 10, line: [cell(`  [STALE ${formatAge(state.nowMs - state.latest.receivedAtMs)}]`, 'bad')] });
  }
  return parts;
}

/** How many changes are on their way, and when the next one has arrived. */
function glideMark(state: DashboardState): readonly LinePart[] {
  const { snapshot, nowMs } = shown(state);
  const glides = snapshot === null ? [] : glidesOf(snapshot.status);
  if (snapshot === null || glides.length === 0) return [];
  const count = new Set(glides.map(({ revision }) => revision)).size;
  const next = Math.min(...glides.map(({ remainingSeconds }) => remainingSeconds));
  const leftMs = Math.max(0, next * 1000 - (nowMs - snapshot.receivedAtMs));
  return [{ keep: 4, line: [cell(`  [${count} ON ${count === 1 ? 'ITS' : 'THEIR'} WAY ${formatAge(leftMs)}]`, 'warn')] }];
}

/** All that is on its way. */
export function glidesOf({ services, clusters }: Pick<StatusView, 'services' | 'clusters'>): readonly GlideView[] {
  return [...services, ...clusters].flatMap(({ glides }) => glides);
}

/** How many changes return by themselves, and when the next one does. */
function timedMark(state: DashboardState): readonly LinePart[] {
  const { snapshot, nowMs } = shown(state);
  const next = snapshot?.status.timed[0];
  if (snapshot === null || next === undefined) return [];
  const leftMs = Math.max(0, next.remainingSeconds * 1000 - (nowMs - snapshot.receivedAtMs));
  return [
    {
      keep: 4,
      line: [
        cell(`  [${snapshot.status.timed.length} RETURN${snapshot.status.timed.length === 1 ? 'S' : ''} ${formatAge(leftMs)}]`, 'warn'),
      ],
    },
  ];
}

/** ` RPS 4021  ok 99.97%  p50 12ms  p95 41ms  p99 120ms  in flight 188` */
export function totalsLine(state: DashboardState): Line {
  const { snapshot } = shown(state);
  if (snapshot === null) return [];
  const { traffic, inFlight } = snapshot.status;
  const failing = traffic.errorRatio >= 0.01;
  const value = isStale(state) ? 'stale' : 'plain';
  const pair = (keep: number, name: string, text: string): LinePart => ({ keep, line: [cell(`  ${name} `, 'dim'), cell(text, value)] });
  const parts: LinePart[] = [
    { keep: 9, line: [cell(' RPS ', 'dim'), cell(formatRate(traffic.rps), value)] },
    { keep: 8, line: [cell('  ok ', 'dim'), cell(formatOkRatio(traffic.errorRatio), failing && value === 'plain' ? 'bad' : value)] },
    pair(4, 'p50', formatLatency(traffic.p50Ms)),
    pair(7, 'p95', formatLatency(traffic.p95Ms)),
    pair(6, 'p99', formatLatency(traffic.p99Ms)),
    pair(5, 'in flight', String(inFlight)),
  ];
  return fittingParts(parts, state.size.columns).flatMap((part) => part.line);
}

/** Above every screen: as many lines of what is wrong as there is room for. */
export function topLines(state: DashboardState): Frame {
  const { rows } = state.size;
  return [headerLine(state), totalsLine(state), ...alertLines(state, rows < 24 ? 1 : rows < 36 ? 3 : 5)];
}

/** Lines between what stands above every screen and the last line. */
export function bodyHeight(state: DashboardState): number {
  return state.size.rows - topLines(state).length - 1;
}

/** A click on what is wrong shows all of it. */
const ALL: Hit = { type: 'key', name: '!' };

/**
 * What is wrong, worst first: no news from the appliance, then what it says of itself. At most `limit` lines, the last says how many more. What waits for
 * a second person has the lines that are left, then what will be wrong.
 */
export function alertLines(state: DashboardState, limit: number): Frame {
  const { problems, warnings } = alertTexts(state);
  const { snapshot, nowMs } = shown(state);
  const approvals = snapshot?.status.approvals ?? [];
  const ageMs = snapshot === null ? 0 : nowMs - snapshot.receivedAtMs;
  const lines = [
    ...problems.map((text) => [cell(` ! ${text}`, 'bad')]),
    ...approvals.map((approval) => [cell(` ? ${approvalText(approval, ageMs)}`, 'warn')]),
    ...warnings.map((text) => [cell(` ~ ${text}`, 'warn')]),
  ];
  if (lines.length <= limit) return lines.map((line) => withHit(line, ALL));
  const more = lines.length - limit + 1;
  const style = problems.length >= limit ? 'bad' : 'warn';
  // Where there is one line it is the worst, with how many more there are.
  if (limit <= 1) {
    return lines.slice(0, limit).map(([first = cell('')]) => {
      const text = `${first.text.slice(0, 3)}[+${lines.length - 1}] ${first.text.slice(3)}`;
      return [cell(text, first.style, ALL)];
    });
  }
  return [
    ...lines.slice(0, limit - 1).map((line) => withHit(line, ALL)),
    [cell(` ${style === 'bad' ? '!' : '~'} and ${more} more (! shows all)`, style, ALL)],
  ];
}

/** As the overlay of alerts lists them too. */
export function alertTexts(state: DashboardState): { readonly problems: readonly string[]; readonly warnings: readonly string[] } {
  const lost = lossText(state);
  const status = shown(state).snapshot?.status;
  return { problems: [...(lost === null ? [] : [lost]), ...(status?.degraded ?? [])], warnings: status?.warnings ?? [] };
}

/** `3 waits for a second person, 52m: shop: blue 90 % → 70 %, by alice` */
export function approvalText({ id, summary, by, remainingSeconds }: ApprovalView, ageMs: number): string {
  return `${id} waits for a second person, ${countdown(remainingSeconds - ageMs / 1000)}: ${summary}, by ${by}`;
}

function lossText(state: DashboardState): string | null {
  const { link, latest, nowMs } = state;
  if (latest === null) return link.kind === 'lost' ? `no answer for ${formatAge(nowMs - link.sinceMs)}: ${link.reason}` : null;
  if (link.kind === 'lost') {
    const since = formatTimeOfDay(applianceTimeMs(latest, link.sinceMs));
    return `disconnected since ${since} (${formatAge(nowMs - link.sinceMs)}): ${link.reason}; trying again`;
  }
  const silentMs = nowMs - latest.receivedAtMs;
  return silentMs > staleAfterMs(state) ? `no news for ${formatAge(silentMs)}` : null;
}

/** How long the footer says what became of something. */
const SAID_MS = 6000;

type Hint = readonly [key: string, text: string];
const [WEIGHT, DIAL]: readonly [Hint, Hint] = [
  ['w', 'weight'],
  ['w', 'dial'],
];
const [CANARY, SWITCH, DRAIN, RESTORE, UNDO]: readonly [Hint, Hint, Hint, Hint, Hint] = [
  ['c', 'canary'],
  ['b', 'switch'],
  ['d', 'drain'],
  ['e', 'restore'],
  ['u', 'undo'],
];
/** What is done most from a screen; where nothing is selected that acts are about, nothing. */
const HINTS: Readonly<Partial<Record<ScreenName, readonly Hint[]>>> = {
  overview: [DRAIN, DIAL, CANARY, UNDO, RESTORE, SWITCH],
  cluster: [DRAIN, DIAL, RESTORE, UNDO],
  services: [WEIGHT, CANARY, SWITCH, UNDO],
  service: [WEIGHT, CANARY, SWITCH, UNDO],
  changes: [UNDO, CANARY, ['U', 'back to it']],
};

/** The keys worth knowing, or the filter while it is typed, or what was just said. */
export function footerLine(state: DashboardState): Line {
  const { said } = state;
  if (state.editing === null && said !== null && state.nowMs - said.atMs < SAID_MS)
    return [cell(` ${said.text}`, said.ok ? 'good' : 'warn')];
  if (state.editing !== null) {
    const { filter } = current(state);
    return [
      cell(' /', 'accent'),
      cell(filter),
      cell(' ', 'selected'),
      cell('   Enter keeps, Esc takes back: word, !not, state=up, err>1', 'dim'),
    ];
  }
  const hint = (keep: number, key: string, text: string): LinePart => ({
    keep,
    line: [cell(` ${key}:${text}`, 'dim', { type: 'key', name: key })],
  });
  // One more key each as there is more room, those first that this screen is for.
  const acts = isReadOnly(state) ? [] : (HINTS[state.screen] ?? []).map(([key, text], index) => hint(2.9 - index / 10, key, text));
  const sorts = SCREENS[state.screen].sorts.length > 1 ? [hint(1, 's', 'sort')] : [];
  const parts = [
    ...tabParts(state),
    { keep: 8, line: [cell(' ')] },
    hint(8, '?', 'help'),
    hint(3.1, '/', 'filter'),
    hint(3, ':', 'command'),
    ...sorts,
    ...acts,
    hint(1, 'p', state.frozen === null ? 'freeze' : 'go on'),
    hint(9, 'q', 'quit'),
  ];
  return fittingParts(parts, state.size.columns).flatMap((part) => part.line);
}

/** What stands beside the tabs whatever the width: help and quit. */
const BESIDE_TABS = 18;

/** All by name where there is room, else all keys and the name of the one that is shown. */
function tabParts(state: DashboardState): readonly LinePart[] {
  const active = (name: string): boolean => name === state.screen || (state.screen === 'service' && name === 'services');
  const width = TABS.reduce((sum, { label }) => sum + label.length + 3, 0);
  const compact = width + BESIDE_TABS > state.size.columns;
  return TABS.map(({ key, label, name }): LinePart => {
    const text = compact && !active(name) ? (key ?? '') : `${key ?? ''}:${label}`;
    return { keep: active(name) ? 7 : 6, line: [cell(' '), cell(text, active(name) ? 'title' : 'dim', { type: 'key', name: key ?? '' })] };
  });
}
