// One probe: one attempt with a time limit, and what came of it in words an operator can act on.
import type { Clock } from './clock.ts';
import type { ProbeAddress } from './connect.ts';

/** What an attempt found. */
export interface ProbeResult {
  readonly ok: boolean;
  /** It got through to what runs behind the endpoint. If not, the way there is in trouble and nothing is known of that. */
  readonly reached: boolean;
  /** Why it is not ok, one line without control characters; empty when ok. */
  readonly reason: string;
}

export interface ProbeOutcome extends ProbeResult {
  readonly tookMs: number;
}

/** One attempt. It ends soon after `signal` aborts, and never rejects: whatever goes wrong is a result. */
export type Probe = (address: ProbeAddress, signal: AbortSignal) => Promise<ProbeResult>;

export interface AttemptSettings {
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Ends the attempt from outside. */
  readonly signal: AbortSignal;
}

/** Runs one attempt; it is over at the time limit at the latest. */
export async function attempt(probe: Probe, address: ProbeAddress, { timeoutMs, clock, signal }: AttemptSettings): Promise<ProbeOutcome> {
  const startedAtMs = clock.nowMs();
  const limit = new AbortController();
  const timer = clock.after(timeoutMs, () => limit.abort(new TimeLimit(timeoutMs)), true);
  try {
    const result = await probe(address, AbortSignal.any([signal, limit.signal]));
    return { ...result, tookMs: clock.nowMs() - startedAtMs };
  } catch (error) {
    // A probe that breaks its word must not end the process that waits for it.
    return { ...failed(error, false), tookMs: clock.nowMs() - startedAtMs };
  } finally {
    timer.cancel();
  }
}

/** The time of an attempt is over. */
class TimeLimit extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs}ms`);
    this.name = 'TimeLimit';
  }
}

/** System error codes in words; others keep the system's text. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name server does not answer',
  ETIMEDOUT: 'connection timed out',
  EPIPE: 'connection closed',
};
const MAX_REASON_LENGTH = 200;

/** A bad result from what was thrown or emitted. */
export function failed(error: unknown, reached: boolean): ProbeResult {
  return { ok: false, reached, reason: oneLine(reasonOf(error)) };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // A name with several addresses fails with one error for each of them and no text of its own.
  if (error instanceof AggregateError && error.message === '') return WORDS[code] ?? reasonOf(error.errors[0]);
  return WORDS[code] ?? error.message;
}

function oneLine(text: string): string {
  return text
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_REASON_LENGTH);
}
