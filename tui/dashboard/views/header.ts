// The top of every screen: who and where, the totals, and one line per thing that is wrong; and the bottom: keys or the filter being typed.
import type { ApprovalView } from '../../../balancer/controller/api/views.ts';
import { countdown } from '../../format.ts';
import { type Cell, cell, type Frame, type Line, lineWidth } from '../frame.ts';
import { formatAge, formatLatency, formatOkRatio, formatRate, formatTimeOfDay } from '../format.ts';
import { isReadOnly } from '../keys.ts';
import { current, type DashboardState, isStale, shown, type Snapshot } from '../model.ts';
import { fittingParts, type LinePart } from './parts.ts';

/** What the appliance's clock shows at `nowMs` of the dashboard's: both clocks are never compared, so they need not agree. */
export function applianceTimeMs(snapshot: Snapshot, nowMs: number): number {
  return Date.parse(snapshot.status.at) + (nowMs - snapshot.receivedAtMs);
}

/** ` weir edge-1  rev 42 (alice, 3m)  [RO] read  workers 2/2            12:04:31` */
export function headerLine(state: DashboardState): Line {
  const { snapshot, nowMs } = shown(state);
  const access: Cell = cell(isReadOnly(state) ? '  [RO]' : '  [RW]', 'accent');
  if (snapshot === null) return [cell(' weir', 'title'), cell(`  ${state.where}`), access];
  const { status } = snapshot;
  const time = formatTimeOfDay(applianceTimeMs(snapshot, nowMs));
  const missing = status.workersReady < status.workers;
  const parts: LinePart[] = [
    { keep: 9, line: [cell(' weir', 'title'), cell(` ${status.host.slice(0, 20)}`, 'title')] },
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

function authorText({ status, receivedAtMs }: Snapshot, nowMs: number): string {
  const { lastRevision } = status;
  if (lastRevision === null) return '';
  const ageMs = applianceTimeMs({ status, receivedAtMs }, nowMs) - Date.parse(lastRevision.at);
  return ` (${lastRevision.author.slice(0, 16)}, ${Number.isFinite(ageMs) ? formatAge(ageMs) : '?'})`;
}

function marks(state: DashboardState): readonly LinePart[] {
  const parts: LinePart[] = [...timedMark(state)];
  if (state.frozen !== null) parts.push({ keep: 5, line: [cell(`  [FROZEN ${formatAge(state.nowMs - state.frozen.atMs)}]`, 'warn')] });
  if (isStale(state) && state.latest !== null) {
    parts.push({ keep: 10, line: [cell(`  [STALE ${formatAge(state.nowMs - state.latest.receivedAtMs)}]`, 'bad')] });
  }
  return parts;
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

/**
 * What is wrong, worst first: no news from the appliance, then what it says of itself. At most `limit` lines, the last says how many more. What waits for
 * a second person has the lines that are left.
 */
export function alertLines(state: DashboardState, limit: number): Frame {
  const lost = lossText(state);
  const { snapshot, nowMs } = shown(state);
  const { degraded, approvals } = snapshot?.status ?? { degraded: [], approvals: [] };
  const texts = lost === null ? degraded : [lost, ...degraded];
  const cut = texts.length > limit ? [...texts.slice(0, limit - 1), `and ${texts.length - limit + 1} more`] : texts;
  const ageMs = snapshot === null ? 0 : nowMs - snapshot.receivedAtMs;
  return [
    ...cut.map((text) => [cell(` ! ${text}`, 'bad')]),
    ...approvals.slice(0, limit - cut.length).map((approval) => [cell(` ? ${approvalText(approval, ageMs)}`, 'warn')]),
  ];
}

/** `3 waits for a second person, 52m: shop: blue 90 % → 70 %, by alice` */
export function approvalText({ id, summary, by, remainingSeconds }: ApprovalView, ageMs: number): string {
  return `${id} waits for a second person, ${countdown(remainingSeconds - ageMs / 1000)}: ${summary}, by ${by}`;
}

function lossText({ link, latest, nowMs, staleAfterMs }: DashboardState): string | null {
  if (latest === null) return link.kind === 'lost' ? `no answer for ${formatAge(nowMs - link.sinceMs)}: ${link.reason}` : null;
  if (link.kind === 'lost') {
    const since = formatTimeOfDay(applianceTimeMs(latest, link.sinceMs));
    return `disconnected since ${since} (${formatAge(nowMs - link.sinceMs)}): ${link.reason}; trying again`;
  }
  const silentMs = nowMs - latest.receivedAtMs;
  return silentMs > staleAfterMs ? `no news for ${formatAge(silentMs)}` : null;
}

/** The keys worth knowing, or the filter while it is typed. */
export function footerLine(state: DashboardState): Line {
  if (state.editing !== null) {
    const { filter } = current(state);
    return [cell(' /', 'accent'), cell(filter), cell(' ', 'selected'), cell('   Enter keeps, Esc takes back: word, !not, state=up', 'dim')];
  }
  const screens: readonly [string, DashboardState['screen']][] = [
    ['1:overview', 'overview'],
    ['2:services', 'services'],
    ['3:events', 'events'],
  ];
  const tabs = screens.map(([label, screen]): LinePart => ({
    keep: 5,
    line: [cell(' '), cell(label, screen === state.screen ? 'title' : 'dim')],
  }));
  const hint = (keep: number, text: string): LinePart => ({ keep, line: [cell(` ${text}`, 'dim')] });
  const parts = [
    ...tabs,
    hint(8, ' ?:help'),
    hint(3, '/:filter'),
    hint(2, 's:sort'),
    hint(1, `p:${state.frozen === null ? 'freeze' : 'go on'}`),
    hint(9, 'q:quit'),
  ];
  return fittingParts(parts, state.size.columns).flatMap((part) => part.line);
}
