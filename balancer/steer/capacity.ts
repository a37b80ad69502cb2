// What a cluster can take: declared, reported and learned capacity made one figure that does not jump, and does not trust a lie. Pure.
import type { AgentState, CapacityReport } from './plan-shape.ts';

/** A failed request counts like this many utilisations: `requests / (utilisation + errors / requests × penalty)`, as in gRPC. */
export const ERROR_PENALTY = 1;
/** After an agent (re)connects nothing is learned for so long: what starts up is busy with itself. */
export const SETTLING_MS = 10_000;
/** What was learned is forgotten when nothing confirmed it for so long. */
export const LEARNED_EXPIRY_MS = 180_000;
/** The weight of a new estimate each second. */
export const EWMA_ALPHA = 0.3;
/** What was learned is moved when the average is off by more than this part of it. */
export const LEARNED_DEAD_BAND = 0.1;
/** In ten seconds capacity grows by no more than this factor. */
export const GROWTH_PER_10_S = 1.2;
/** An absent agent's figure becomes the declared one within this. */
export const FADE_MS = 60_000;
/** Less use than this says more about an idle machine than about requests. */
export const LEAST_UTILISATION = 0.1;
/** Fewer requests per second than this say nothing. */
const LEAST_RPS = 1;
/** The hub takes no more than this; what comes otherwise is held to it too. */
const MOST_UTILISATION = 100;
const MOST_RPS = 1e9;

export interface CapacityMemory {
  /** Requests per second that the plan goes by; null: not known. */
  readonly rps: number | null;
  /** The average of estimates, and the value of it that counts; null: nothing learned. */
  readonly average: number | null;
  readonly learned: number | null;
  readonly learnedAtMs: number;
  /** The report that was last taken into account. */
  readonly receivedAtMs: number;
  /** Since when reports come without the agent having been away. */
  readonly connectedAtMs: number;
  readonly agent: AgentState;
  /** When the agent became absent, and the figure it left. */
  readonly absentAtMs: number;
  readonly leftRps: number | null;
}

/** `requests / (utilisation + errors / requests × penalty)`; null: the figures allow none. Never headroom: that swings with delay. */
export function estimate({ requestsPerSecond, errorsPerSecond, utilisation }: CapacityReport): number | null {
  if (requestsPerSecond === null || !inRange(requestsPerSecond, LEAST_RPS, MOST_RPS)) return null;
  if (!inRange(utilisation, LEAST_UTILISATION, MOST_UTILISATION)) return null;
  // More errors than requests, or fewer than none, are figures of different intervals.
  if (!inRange(errorsPerSecond, 0, requestsPerSecond)) return null;
  return requestsPerSecond / (utilisation + (errorsPerSecond / requestsPerSecond) * ERROR_PENALTY);
}

/**
 * One step. What is declared to the agent goes before what the file declares. What is learned can only lower them; alone, it is the
 * capacity. Fresh: as reported. Stale: frozen. Absent: in a line to what the file declares (or to not known, when that time is over).
 */
export function followCapacity(
  before: CapacityMemory | null,
  declaredRps: number | null,
  report: CapacityReport | null,
  nowMs: number,
): CapacityMemory {
  const known = before ?? unknownCapacity(declaredRps);
  const agent = report?.state ?? 'absent';
  switch (agent) {
    case 'fresh':
      return report === null ? known : takeReport(known, declaredRps, report, { nowMs, first: before === null });
    case 'stale':
      return { ...known, agent };
    case 'absent':
      return fade(known, declaredRps, nowMs);
  }
}

function unknownCapacity(declaredRps: number | null): CapacityMemory {
  return {
    rps: declaredRps,
    average: null,
    learned: null,
    learnedAtMs: -Infinity,
    receivedAtMs: -Infinity,
    connectedAtMs: -Infinity,
    agent: 'absent',
    absentAtMs: -Infinity,
    leftRps: null,
  };
}

interface Moment {
  readonly nowMs: number;
  /** Nothing was known of the cluster before. */
  readonly first: boolean;
}

function takeReport(known: CapacityMemory, declaredRps: number | null, report: CapacityReport, { nowMs, first }: Moment): CapacityMemory {
  // A report that is merely late says nothing of a new connection; after a long silence there may have been one.
  const again = known.agent === 'absent' || report.receivedAtMs - known.receivedAtMs > SETTLING_MS;
  const connectedAtMs = again ? nowMs : known.connectedAtMs;
  const learning = learn(known, report, nowMs, connectedAtMs);
  const reported = inRange(report.capacityRps, Number.MIN_VALUE, MOST_RPS) ? report.capacityRps : null;
  const promised = reported ?? declaredRps;
  const { learned } = learning;
  const wanted = promised === null ? learned : learned === null ? promised : Math.min(promised, learned);
  return {
    ...known,
    ...learning,
    rps: first ? wanted : slowly(known.rps, wanted, Math.max(0, report.receivedAtMs - known.receivedAtMs)),
    receivedAtMs: Math.max(known.receivedAtMs, report.receivedAtMs),
    connectedAtMs,
    agent: 'fresh',
    absentAtMs: -Infinity,
    leftRps: null,
  };
}

type Learning = Pick<CapacityMemory, 'average' | 'learned' | 'learnedAtMs'>;

function learn(known: CapacityMemory, report: CapacityReport, nowMs: number, connectedAtMs: number): Learning {
  const { average, learned, learnedAtMs, receivedAtMs } = known;
  const forgotten = nowMs - learnedAtMs > LEARNED_EXPIRY_MS;
  const present: Learning = forgotten ? { average: null, learned: null, learnedAtMs: -Infinity } : { average, learned, learnedAtMs };
  if (report.receivedAtMs <= receivedAtMs || nowMs - connectedAtMs < SETTLING_MS) return present;
  const value = estimate(report);
  if (value === null) return present;
  // A report that comes late stands for the seconds before it, but not for an hour.
  const seconds = Math.min(5, Math.max(0, report.receivedAtMs - learnedAtMs) / 1000);
  const weight = 1 - (1 - EWMA_ALPHA) ** seconds;
  const next = present.average === null ? value : present.average + weight * (value - present.average);
  const held = present.learned !== null && Math.abs(next - present.learned) <= LEARNED_DEAD_BAND * present.learned;
  return { average: next, learned: held ? present.learned : next, learnedAtMs: report.receivedAtMs };
}

/** Down at once, up by 20 % in ten seconds. What was not known is known at once. */
function slowly(from: number | null, to: number | null, passedMs: number): number | null {
  if (from === null || to === null || to <= from) return to;
  return Math.min(to, from * GROWTH_PER_10_S ** (Math.min(10_000, passedMs) / 10_000));
}

function fade(known: CapacityMemory, declaredRps: number | null, nowMs: number): CapacityMemory {
  if (known.agent === 'absent' && known.absentAtMs === -Infinity) return { ...known, rps: declaredRps };
  const absentAtMs = known.agent === 'absent' ? known.absentAtMs : nowMs;
  const leftRps = known.agent === 'absent' ? known.leftRps : known.rps;
  const part = Math.min(1, (nowMs - absentAtMs) / FADE_MS);
  if (part >= 1) return { ...unknownCapacity(declaredRps) };
  const rps = leftRps === null || declaredRps === null ? leftRps : leftRps + (declaredRps - leftRps) * part;
  return { ...known, agent: 'absent', rps, absentAtMs, leftRps };
}

function inRange(value: number | null, from: number, to: number): value is number {
  return value !== null && value >= from && value <= to;
}
