// A second attempt beside a first one that takes its time: the answer that comes first counts, and the other attempt is cancelled.
import type { Timer } from '../../health/clock.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { HedgeDelay } from '../config/retry-config.ts';
import type { ErrorCode } from '../errors.ts';
import type { OutgoingRequest } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import { noteFailure, type Attempt, type AttemptOwner, type Place } from './attempt.ts';
import type { AnswerHead } from './held-answer.ts';
import type { ServiceTarget } from './service-steering.ts';
import type { WorkerContext } from './worker-context.ts';

/** The request flow, as its hedge sees it. */
export interface HedgeFlow extends AttemptOwner {
  begin(place: Place, to: AttemptOwner): Attempt;
}

/** The retries of a request, as its hedge sees them. */
export interface HedgeRetries {
  /** Where a second attempt goes while `attempt` is waited for; null: nowhere. */
  beside(attempt: Attempt): Place | null;
  /** Of two attempts this one is over, and the other goes on. */
  without(attempt: Attempt): void;
  /** Keeps an answer while the other attempt may get a better one. */
  hold(attempt: Attempt, head: AnswerHead): void;
}

/** What is asked, as far as it matters here. */
export interface Hedged {
  readonly config: ServiceConfig;
  /** Statuses of answers that do not win while the other attempt is in work; null: all win. */
  readonly retryOn: ReadonlySet<number> | null;
}

/**
 * Stands between two attempts and the request flow, which hears of one: of the first head, of the last failure. With one attempt left all
 * is as without it. Only for requests of which nothing but a head has to be sent.
 */
export class Hedge implements AttemptOwner {
  readonly #flow: HedgeFlow;
  readonly #retries: HedgeRetries;
  readonly #service: Hedged;
  readonly #context: WorkerContext;
  #first: Attempt | null = null;
  #second: Attempt | null = null;
  /** Attempts that may still bring an answer. */
  #running = 0;
  #startedMs = 0;
  #secondMs = 0;
  /** Whether the usual time has been told of the first attempt. */
  #told = false;
  #timer: Timer | null = null;

  constructor(flow: HedgeFlow, retries: HedgeRetries, service: Hedged, context: WorkerContext) {
    this.#flow = flow;
    this.#retries = retries;
    this.#service = service;
    this.#context = context;
  }

  /** Begins the first attempt. */
  start(place: Place, delay: HedgeDelay): void {
    const { clock, deadlines } = this.#context;
    this.#startedMs = clock.nowMs();
    this.#running = 1;
    const delayMs = delayOf(place.target, delay, deadlines.nowMs);
    // The sweep of the deadlines comes too seldom for a wait of a few milliseconds.
    if (delayMs < Infinity) this.#timer = clock.after(delayMs, () => this.#send(), true);
    this.#first = this.#flow.begin(place, this);
  }

  /** The request is over. */
  close(): void {
    this.#stop();
    // Who left after the second attempt was sent has waited for longer than usual.
    if (this.#running === 2) this.#tell();
    this.#running = 0;
    this.#first?.cancel();
    this.#second?.cancel();
  }

  // --- the attempts' side ---

  outgoing(attempt: Attempt, tryMs: number): OutgoingRequest {
    return this.#flow.outgoing(attempt, tryMs);
  }

  onSent(attempt: Attempt): void {
    this.#flow.onSent(attempt);
  }

  onInformational(status: number, fields: Fields): void {
    this.#flow.onInformational(status, fields);
  }

  onHead(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void {
    this.#stop();
    const { evidence, deadlines, counters } = this.#context;
    const bad = this.#service.retryOn?.has(status) === true;
    if (attempt === this.#first) this.#tell();
    if (bad && this.#running === 2) {
      this.#running = 1;
      evidence.answered(attempt, deadlines.nowMs);
      return this.#retries.hold(attempt, { status, fields, bodyLength });
    }
    if (attempt === this.#second && !bad) counters.hedge(this.#service.config.name, 'won');
    this.#alone(attempt);
    this.#flow.onHead(attempt, status, fields, bodyLength);
  }

  onUpgrade(attempt: Attempt, fields: Fields, upgrade: string, end: TunnelEnd): void {
    this.#stop();
    this.#alone(attempt);
    this.#flow.onUpgrade(attempt, fields, upgrade, end);
  }

  onRequestDrain(): void {
    this.#flow.onRequestDrain();
  }

  onLate(attempt: Attempt): void {
    this.#stop();
    if (attempt === this.#first) this.#tell();
    if (this.#running < 2) return this.#flow.onLate(attempt);
    this.#running = 1;
    const { target, endpoint } = attempt;
    const { evidence, deadlines, counters } = this.#context;
    target.tryLimit.gaveUp();
    evidence.late(target, endpoint, deadlines.nowMs);
    counters.upstreamFailure(target.cluster.name, 'try_timeout');
    this.#retries.without(attempt);
    attempt.cancel();
  }

  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void {
    this.#stop();
    // How soon it failed is no latency.
    if (attempt === this.#first) this.#told = true;
    if (this.#running < 2) return this.#flow.onFailure(attempt, code, detail);
    this.#running = 1;
    noteFailure(this.#context, attempt, { code, detail });
    this.#retries.without(attempt);
  }

  // --- inside ---

  #send(): void {
    this.#timer = null;
    const place = this.#first === null ? null : this.#retries.beside(this.#first);
    if (place === null) return;
    this.#running = 2;
    this.#secondMs = this.#context.clock.nowMs();
    this.#second = this.#flow.begin(place, this);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** `winner` has the answer. The other one did nothing wrong; it only would have taken longer than it was waited for. */
  #alone(winner: Attempt): void {
    const loser = winner === this.#first ? this.#second : this.#first;
    if (this.#running === 2 && loser !== null) {
      const isFirst = loser === this.#first;
      const waitedMs = this.#context.clock.nowMs() - (isFirst ? this.#startedMs : this.#secondMs);
      const { target, endpoint } = loser;
      // At least so long: that can make an endpoint slower than it was taken for, never faster.
      if (waitedMs > endpoint.latencyMs) endpoint.observeLatency(waitedMs);
      if (isFirst) {
        this.#tell();
        target.tryLimit.wouldTake(waitedMs);
        target.tries.gaveUp(waitedMs);
      }
      loser.cancel();
    }
    this.#running = 0;
  }

  /**
   * What is usual is told by first attempts alone, one each: with how long it took, or was waited for where the second answered. The wait is
   * above the percentile as the whole time would be, so the percentile stays where it is without hedges, and does not go down by its own work.
   */
  #tell(): void {
    const usual = this.#first?.target.usual ?? null;
    if (usual !== null && !this.#told) usual.observe(this.#context.clock.nowMs() - this.#startedMs);
    this.#told = true;
  }
}

/** Infinity: not at all, as too little is known. */
function delayOf({ usual }: ServiceTarget, delay: HedgeDelay, nowMs: number): number {
  return delay.kind === 'time' ? delay.ms : (usual?.valueMs(nowMs) ?? Infinity);
}
