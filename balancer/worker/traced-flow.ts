// A request that is traced: it has an id that clusters hear of with every attempt, and spans if it was chosen for them or went wrong.
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import { traceIdOf, traceParentText } from '../telemetry/trace-context.ts';
import type { Attempt, AnswerReceiver, AttemptOwner, Place } from './attempt.ts';
import { RequestFlow } from './request-flow.ts';
import { spansOf, TracedAttempt, type Traced } from './spans.ts';
import type { AnswerStats } from './stats.ts';
import type { BroughtTrace, Tracer } from './tracer.ts';
import type { WorkerContext } from './worker-context.ts';

export class TracedFlow extends RequestFlow implements Traced {
  readonly brought: BroughtTrace;
  readonly sampled: boolean;
  /** The attempts, from the last to the first. */
  last: TracedAttempt | null = null;
  readonly #tracer: Tracer;
  readonly #unrouted: AnswerStats;
  #traceId = '';
  /** What the first endpoint was told of a trace that begins here and is not sampled. */
  #first = '';

  constructor(exchange: DownstreamExchange, context: WorkerContext, tracer: Tracer) {
    super(exchange, context);
    this.#tracer = tracer;
    this.#unrouted = context.unrouted;
    this.brought = tracer.receive(exchange.request);
    this.sampled = tracer.samples(this.brought.parent);
  }

  /** Made when somebody is to hear of it. */
  override get traceId(): string {
    if (this.#traceId === '')
      this.#traceId = this.#first === '' ? (this.brought.parent?.traceId ?? this.#tracer.ids.trace()) : traceIdOf(this.#first);
    return this.#traceId;
  }

  protected override attemptAt(place: Place, owner: AttemptOwner, receiver: AnswerReceiver, context: WorkerContext): Attempt {
    const attempt = new TracedAttempt(place, owner, receiver, context);
    attempt.before = this.last;
    this.last = attempt;
    return attempt;
  }

  override begin(place: Place, to?: AttemptOwner): Attempt {
    const attempt = super.begin(place, to);
    if (attempt.sentMs === 0 && attempt instanceof TracedAttempt) attempt.waitsSinceMs = this.#tracer.clock.nowMs();
    return attempt;
  }

  protected override traceparentOf(attempt: Attempt): string {
    let traced = this.last;
    // Of two attempts beside each other the first may have waited for its connection.
    while (traced !== null && traced !== attempt) traced = traced.before;
    const text = this.#nextParent();
    if (traced === null) return text;
    traced.traceparent = text;
    return text;
  }

  /** Of most requests this is the first, and nobody keeps the trace: its ids are not looked at one by one. */
  #nextParent(): string {
    const { ids } = this.#tracer;
    if (this.sampled || this.#traceId !== '' || this.#first !== '' || this.brought.parent !== null)
      return traceParentText(this.traceId, ids.span(), this.sampled);
    return (this.#first = ids.unsampledParent());
  }

  protected override trace(durationMs: number, nowMs: number, result: number, error: ErrorCode | ''): void {
    const tracer = this.#tracer;
    if (!this.sampled) {
      // Who left, or asked for something wrong, is no failure of what is traced.
      const failed = result >= 500 || (error !== '' && ERRORS[error].blame !== 'client');
      if (!tracer.keeps(failed, durationMs, nowMs)) return;
    }
    const wallMs = tracer.clock.wallMs();
    const end = this.told(durationMs, false);
    tracer.export(spansOf(this, this.exchange.request, end, { nowMs, wallAheadMs: wallMs - nowMs, ids: tracer.ids }));
    const { route, target } = end.way;
    const stats = route === null ? this.#unrouted : route.statsOf(target);
    stats.traced(durationMs, this.traceId, wallMs);
  }
}
