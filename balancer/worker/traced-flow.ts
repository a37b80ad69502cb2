// A request that is traced: it has an id that clusters hear of with every attempt, and spans if it was chosen for them or went wrong.
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import { traceParentText } from '../telemetry/trace-context.ts';
import type { Attempt, AnswerReceiver, AttemptOwner, Place } from './attempt.ts';
import { RequestFlow } from './request-flow.ts';
import { spansOf, type Traced, type TracedAttempt } from './spans.ts';
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

  constructor(exchange: DownstreamExchange, context: WorkerContext, tracer: Tracer) {
    super(exchange, context);
    this.#tracer = tracer;
    this.#unrouted = context.unrouted;
    this.brought = tracer.receive(exchange.request);
    this.sampled = tracer.samples(this.brought.parent);
  }

  /** Made when somebody is to hear of it. */
  override get traceId(): string {
    if (this.#traceId === '') this.#traceId = this.brought.parent?.traceId ?? this.#tracer.ids.trace();
    return this.#traceId;
  }

  protected override attemptAt(place: Place, owner: AttemptOwner, receiver: AnswerReceiver, context: WorkerContext): Attempt {
    const attempt = super.attemptAt(place, owner, receiver, context);
    this.last = { attempt, beganMs: context.clock.nowMs(), spanId: '', before: this.last };
    return attempt;
  }

  protected override traceparentOf(attempt: Attempt): string {
    const spanId = this.#tracer.ids.span();
    let traced = this.last;
    // Of two attempts beside each other the first may have waited for its connection.
    while (traced !== null && traced.attempt !== attempt) traced = traced.before;
    if (traced !== null) traced.spanId = spanId;
    return traceParentText(this.traceId, spanId, this.sampled);
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
    const stats = end.route === null ? this.#unrouted : end.route.statsOf(end.target);
    stats.traced(durationMs, this.traceId, wallMs);
  }
}
