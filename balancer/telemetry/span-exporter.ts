// Sends spans to a collector by OTLP over HTTP: bounded in memory, off the path of requests, and nothing waits for it.
import type { Pool } from 'undici';
import { BackOff } from '../../health/back-off.ts';
import type { Clock, Random, Timer } from '../../health/clock.ts';
import { SpanBatch } from './span-batch.ts';

/** Spans that wait; beyond, new ones are dropped and counted. */
const MOST_WAITING = 4096;
const BATCH_SPANS = 512;
const FLUSH_MS = 1000;
/** About twice what a batch takes as a rule. */
const MOST_SPARE_BYTES = 2 * 1024 * 1024;
/** A batch that the collector does not take for this long is dropped. */
const GIVE_UP_MS = 60_000;
const BACK_OFF = { baseMs: 1000, maxMs: 10_000, jitter: 0.5 };
const MOST_ANSWER_BYTES = 65_536;
/** Answers by which a collector asks to send again (OTLP specification, failures). */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What became of spans. */
export type SpanOutcome = 'exported' | 'queue_full' | 'rejected' | 'failed';

export interface Collector {
  /** With its path: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** PEM; null: the authorities of the system. */
  readonly ca: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The value of Authorization, read for each batch; null: none. */
  readonly authorization: (() => string | null) | null;
  readonly timeoutMs: number;
  /** Attributes, as `otlp.ts` writes them. */
  readonly resource: string;
  readonly version: string;
}

export interface ExporterEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly count: (outcome: SpanOutcome, spans: number) => void;
  readonly warn: (problem: string) => void;
}

/** What the collector said to a batch. */
type Verdict =
  | { readonly kind: 'taken'; readonly rejected: number; readonly message: string }
  | { readonly kind: 'again'; readonly afterMs: number | null; readonly problem: string }
  | { readonly kind: 'refused'; readonly problem: string };

export class SpanExporter {
  readonly #collector: Collector;
  readonly #environment: ExporterEnvironment;
  readonly #path: string;
  readonly #backOff: BackOff;
  #pool: Promise<Pool> | null = null;
  /** Those that are full, in order, and the one that is filled. */
  readonly #full: SpanBatch[] = [];
  #filling: SpanBatch | null = null;
  /** One that has been sent, for the next: with the memory that it took. */
  #spare: SpanBatch | null = null;
  /** Spans in all of them. */
  #waiting = 0;
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  #closing = false;
  /** Said once until it works again. */
  #told = false;
  #wake: (() => void) | null = null;

  /** Connects when there is something to send. */
  constructor(collector: Collector, environment: ExporterEnvironment) {
    this.#collector = collector;
    this.#environment = environment;
    const { pathname, search } = new URL(collector.url);
    this.#path = `${pathname}${search}`;
    this.#backOff = new BackOff(BACK_OFF, environment.random);
  }

  /** Spans of one request, as `spanJson()` makes them: all of them, or none. */
  add(spans: readonly string[]): void {
    if (this.#waiting + spans.length > MOST_WAITING || this.#closing) return this.#environment.count('queue_full', spans.length);
    const batch = (this.#filling ??= this.#empty());
    for (const span of spans) batch.add(span);
    this.#waiting += spans.length;
    if (batch.spans >= BATCH_SPANS) this.#endBatch();
    this.#sendSoon();
  }

  /** Sends what waits, if that is done within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    const { promise: tooLong, resolve } = Promise.withResolvers<undefined>();
    const limit = this.#environment.clock.after(graceMs, () => resolve(undefined), true);
    this.#wake?.();
    if (this.#sending === null && this.#waiting > 0) this.#send();
    await Promise.race([this.#sending, tooLong]);
    limit.cancel();
    this.#timer?.cancel();
    if (this.#waiting > 0) this.#environment.count('failed', this.#waiting);
    this.#waiting = 0;
    await (await this.#pool)?.destroy();
  }

  #empty(): SpanBatch {
    const batch = this.#spare ?? new SpanBatch(this.#collector.resource, this.#collector.version);
    this.#spare = null;
    return batch;
  }

  /** Nothing more goes into the one that is filled. */
  #endBatch(): void {
    if (this.#filling !== null) this.#full.push(this.#filling);
    this.#filling = null;
  }

  #sendSoon(): void {
    if (this.#sending !== null) return;
    if (this.#full.length > 0) this.#send();
    else this.#timer ??= this.#environment.clock.after(FLUSH_MS, () => this.#send(), true);
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null;
      if (this.#waiting > 0 && !this.#closing) this.#sendSoon();
    });
  }

  /** What is there, and what becomes full meanwhile; while it closes, everything. */
  async #sendAll(): Promise<void> {
    this.#endBatch();
    for (let batch = this.#full.shift(); batch !== undefined; batch = this.#full.shift()) {
      this.#waiting -= batch.spans;
      await this.#sendBatch(batch);
      batch.clear();
      this.#spare = batch.memoryBytes > MOST_SPARE_BYTES ? null : batch;
      if (this.#closing) this.#endBatch();
    }
  }

  /** Until it is taken, refused, or nobody wants to wait any longer. */
  async #sendBatch(batch: SpanBatch): Promise<void> {
    const { clock, count } = this.#environment;
    const { spans } = batch;
    const body = batch.body();
    const giveUpMs = clock.nowMs() + GIVE_UP_MS;
    for (;;) {
      const verdict = await this.#ask(body);
      if (verdict.kind === 'taken') {
        this.#backOff.reset();
        if (verdict.message === '' && verdict.rejected === 0) this.#told = false;
        else this.#tell(`the collector rejects ${verdict.rejected} of ${spans} spans: ${verdict.message}`);
        if (verdict.rejected > 0) count('rejected', verdict.rejected);
        count('exported', spans - verdict.rejected);
        return;
      }
      this.#tell(verdict.problem);
      const waitMs = verdict.kind === 'again' ? Math.max(this.#backOff.nextMs(), verdict.afterMs ?? 0) : 0;
      const gaveUp = verdict.kind === 'refused' || this.#closing || clock.nowMs() + waitMs > giveUpMs;
      if (gaveUp) {
        count(verdict.kind === 'refused' ? 'rejected' : 'failed', spans);
        return;
      }
      await this.#pause(waitMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#environment.clock.after(ms, () => resolve(undefined), true);
    this.#wake = () => resolve(undefined);
    await promise;
    this.#wake = null;
    timer.cancel();
  }

  async #ask(body: Buffer): Promise<Verdict> {
    const { timeoutMs, headers, authorization } = this.#collector;
    const secret = authorization?.() ?? null;
    if (authorization !== null && secret === null)
      return { kind: 'again', afterMs: null, problem: 'what authorization names cannot be read' };
    const abort = new AbortController();
    const timer = this.#environment.clock.after(timeoutMs, () => abort.abort(), true);
    try {
      const pool = await (this.#pool ??= this.#connect());
      const sent = { 'content-type': 'application/json', ...headers, ...(secret === null ? {} : { authorization: secret }) };
      const answer = await pool.request({ method: 'POST', path: this.#path, headers: sent, body, signal: abort.signal });
      const text = await bounded(answer.body, MOST_ANSWER_BYTES);
      return verdictOf(answer.statusCode, String(answer.headers['retry-after'] ?? ''), text);
    } catch (error) {
      const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? error.message) : error;
      return { kind: 'again', afterMs: null, problem: abort.signal.aborted ? `no answer within ${timeoutMs} ms` : String(code) };
    } finally {
      timer.cancel();
    }
  }

  /** Its package is loaded by the first batch. */
  async #connect(): Promise<Pool> {
    const { Pool } = await import('undici');
    const { url, ca } = this.#collector;
    return new Pool(new URL(url).origin, { connections: 1, allowH2: false, ...(ca === null ? {} : { connect: { ca } }) });
  }

  #tell(problem: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#environment.warn(problem);
  }
}

function verdictOf(status: number, retryAfter: string, text: string): Verdict {
  if (status >= 200 && status < 300) return { kind: 'taken', ...partialSuccess(text) };
  if (!RETRYABLE.has(status)) return { kind: 'refused', problem: `the collector answers ${status}` };
  const afterMs = /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) * 1000 : null;
  return { kind: 'again', afterMs, problem: `the collector answers ${status}` };
}

/** 200 with `partialSuccess`: some spans were not taken, and sending them again would not help. */
function partialSuccess(text: string): { readonly rejected: number; readonly message: string } {
  try {
    const answer: unknown = JSON.parse(text);
    const partial: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'partialSuccess') : null;
    if (typeof partial !== 'object' || partial === null) return { rejected: 0, message: '' };
    const rejected = Number(Reflect.get(partial, 'rejectedSpans') ?? 0);
    const message: unknown = Reflect.get(partial, 'errorMessage');
    return { rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0, message: typeof message === 'string' ? message : '' };
  } catch {
    return { rejected: 0, message: '' };
  }
}

/** What is beyond is not needed, and let go of. */
async function bounded(body: AsyncIterable<unknown>, most: number): Promise<string> {
  let text = '';
  for await (const chunk of body) if (text.length < most) text += String(chunk);
  return text.slice(0, most);
}
