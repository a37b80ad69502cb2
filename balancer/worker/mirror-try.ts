// One copy of a request. It steers nothing: no ejection, no latency, no retry, no share follows from what becomes of it.
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import type { DownstreamExchange, ResponseListener, UpstreamConnection, UpstreamExchange } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { ConnectionWaiter } from '../upstream/connection-line.ts';
import type { Place } from './attempt.ts';
import { compareAnswers, type WholeAnswer } from './compare-answers.ts';
import type { Mirror, MirrorOutcome } from './mirror.ts';
import { outgoingRequest } from './outgoing-request.ts';

/** Of an answer that nobody compares so much is read, so that its connection can be used again. */
const MAX_READ_BYTES = 256 * 1024;

/** What is taken of an answer: no more than is compared. */
class TakenAnswer {
  status = 0;
  headAtMs = 0;
  done = false;
  bytes = 0;
  #fields: Readonly<Fields> = [];
  #chunks: Buffer[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  head(status: number, fields: Readonly<Fields>, atMs: number): void {
    this.status = status;
    this.#fields = fields;
    this.headAtMs = atMs;
  }

  take(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes <= this.#most) this.#chunks.push(Buffer.from(chunk));
    else this.#chunks = [];
  }

  whole(): WholeAnswer {
    return { status: this.status, fields: this.#fields, body: this.bytes <= this.#most ? Buffer.concat(this.#chunks) : null };
  }
}

export interface Copied {
  readonly exchange: DownstreamExchange;
  readonly fields: Readonly<Fields>;
}

/** It has one limit for all of it, which is its own: late is another outcome than lost. */
const NO_LIMITS = { firstByteMs: 0, betweenBytesMs: 0 };

export class MirrorTry implements ConnectionWaiter, ResponseListener, Expiring {
  deadlineMs = Infinity;
  watchedAt = NOT_WATCHED;
  readonly #mirror: Mirror;
  readonly #place: Place;
  readonly #copied: Copied;
  readonly #startedMs: number;
  /** Null: answers are not compared. */
  readonly #mine: TakenAnswer | null;
  readonly #original: TakenAnswer | null;
  #read = 0;
  #exchange: UpstreamExchange | null = null;
  #over = false;
  #lost = false;
  #compared = false;

  constructor(mirror: Mirror, place: Place, copied: Copied) {
    const { compare } = mirror.config;
    this.#mirror = mirror;
    this.#place = place;
    this.#copied = copied;
    this.#startedMs = mirror.environment.deadlines.clock.nowMs();
    const most = compare?.body === true ? compare.maxBodyBytes : 0;
    this.#mine = compare === null ? null : new TakenAnswer(most);
    this.#original = compare === null ? null : new TakenAnswer(most);
  }

  /** False: there is no room to spare. */
  start(): boolean {
    const { deadlines } = this.#mirror.environment;
    if (!this.#place.endpoint.hasSpare(this, () => this.#end('gave_way'))) return false;
    this.#mirror.enter();
    this.deadlineMs = deadlines.nowMs + this.#mirror.config.timeoutMs;
    deadlines.add(this);
    this.#place.endpoint.acquireSpare(this);
    return true;
  }

  // --- the answer that the user gets ---

  /** `version`: whose it is. */
  original(version: string, status: number, fields: Readonly<Fields>): void {
    // Against itself there is nothing to compare.
    if (version !== this.#mirror.config.to) this.#original?.head(status, fields, this.#nowMs());
  }

  originalBody(chunk: Buffer): void {
    this.#original?.take(chunk);
  }

  originalEnd(): void {
    if (this.#original === null || this.#original.status === 0) return;
    this.#original.done = true;
    this.#compare();
  }

  /** The request is over; where its answer did not come whole, there is nothing to compare with. */
  close(): void {
    if (this.#original === null || this.#original.done || this.#compared) return;
    this.#compared = true;
    this.#mirror.countComparison('no_original');
  }

  // --- the copy ---

  onConnection(connection: UpstreamConnection): void {
    const { exchange, fields } = this.#copied;
    this.#exchange = connection.send(
      outgoingRequest(exchange, { target: this.#place.target, fields, body: null, timeouts: NO_LIMITS, tryMs: 0, traceparent: '' }),
      this,
    );
  }

  onConnectionFailed(): void {
    this.#lose('lost');
  }

  onInformational(): void {
    return undefined;
  }

  onHead(status: number, fields: Fields): void {
    this.#mine?.head(status, fields, this.#nowMs());
  }

  onBody(chunk: Buffer): void {
    this.#read += chunk.length;
    this.#mine?.take(chunk);
    if (this.#read > Math.max(MAX_READ_BYTES, this.#mirror.config.compare?.maxBodyBytes ?? 0)) this.#answered('too_long');
  }

  onBodyEnd(): void {
    this.#answered('answered');
  }

  onTurnEnd(): void {
    return undefined;
  }

  onLate(): void {
    return undefined;
  }

  onUpstreamDrain(): void {
    return undefined;
  }

  onUpgrade(_fields: Fields, _upgrade: string, end: TunnelEnd): void {
    end.destroy();
    this.#lose('lost');
  }

  onUpstreamFailure(): void {
    this.#exchange = null;
    this.#lose('lost');
  }

  onDeadline(): void {
    this.#lose('late');
  }

  #answered(outcome: MirrorOutcome): void {
    if (this.#mine !== null) this.#mine.done = true;
    this.#end(outcome);
    this.#compare();
  }

  #lose(outcome: MirrorOutcome): void {
    if (this.#over) return;
    this.#lost = true;
    this.#end(outcome);
    this.#compare();
  }

  #end(outcome: MirrorOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#mirror.environment.deadlines.remove(this);
    this.#mirror.leave();
    this.#mirror.count(outcome);
    const { endpoint } = this.#place;
    endpoint.releaseSpare(this);
    if (this.#exchange === null) endpoint.cancelSpare(this);
    else if (outcome !== 'answered') this.#exchange.cancel();
  }

  /** As soon as both answers are there, or the copy has none and the user has one. */
  #compare(): void {
    const { config } = this.#mirror;
    const [mine, original] = [this.#mine, this.#original];
    if (mine === null || original === null || config.compare === null || this.#compared || !original.done) return;
    if (!mine.done && !this.#lost) return;
    this.#compared = true;
    if (this.#lost) return this.#mirror.countComparison('lost');
    this.#mirror.observePair(original.headAtMs - this.#startedMs, mine.headAtMs - this.#startedMs);
    compareAnswers(original.whole(), mine.whole(), config.compare).then(
      (outcome) => this.#mirror.countComparison(outcome),
      () => this.#mirror.countComparison('too_large'),
    );
  }

  #nowMs(): number {
    return this.#mirror.environment.deadlines.clock.nowMs();
  }
}
