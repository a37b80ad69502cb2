// A request that did not get its answer at the first place: what was tried, whether another attempt is safe and has room, and where.
import type { Timer } from '../../health/clock.ts';
import type { HedgeDelay } from '../config/retry-config.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { FailedAttempt } from '../ipc-recent.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import { fieldValue } from '../message/fields.ts';
import { IDEMPOTENT } from '../message/methods.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { RetryWaiter } from '../upstream/retry-budget.ts';
import type { Attempt, AttemptOwner, Failure, Place } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import { Hedge, type HedgeRetries } from './hedge.ts';
import { HeldAnswer, type AnswerHead, type AnswerTaker } from './held-answer.ts';
import { MAX_KEPT_BYTES } from './kept-body.ts';
import type { OutgoingBody } from './outgoing-body.ts';
import type { ServiceSteering, ServiceTarget } from './service-steering.ts';
import type { WorkerContext } from './worker-context.ts';

/** So long a request whose attempt has failed waits for room: a turn of the workers, in which each of them has some. */
const ROOM_WAIT_MS = 250;
/** So often an endpoint may refuse a request unseen before that counts as an attempt. */
const MAX_REFUSED = 8;

/** The request flow, as its retries see it. */
export interface RetryOwner extends AttemptOwner, AnswerTaker {
  readonly exchange: DownstreamExchange;
  /** Begun so far. */
  readonly attempts: number;
  /** Null: the request has none. */
  readonly body: OutgoingBody | null;
  /** Gives the attempt up, and goes on with `place`; null: with none. */
  goOn(attempt: Attempt, failure: Failure, place: Place | null): void;
  /** After an attempt that failed: on with `place`; null: there is none. */
  followUp(place: Place | null, failure: Failure): void;
  /** Another attempt, while the one before is not given up; `to` hears of it, by default the request flow. */
  begin(place: Place, to?: AttemptOwner): Attempt;
  /** Before the head of an attempt, or after the head that was delivered. */
  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void;
}

/** True when a late answer of it may be given up: nothing has to be sent but its head, and that may be sent twice. */
export function mayGoTwice({ request, bodyLength, upgrade }: DownstreamExchange): boolean {
  return bodyLength === 0 && upgrade === '' && IDEMPOTENT.has(request.method);
}

/** Whether another attempt could follow one that has the body, if the body is kept. */
export function mayBeRepeated({ request, bodyLength }: DownstreamExchange, { tellsUnseen }: Attempt, route: RouteRuntime | null): boolean {
  const idempotent = IDEMPOTENT.has(request.method) && route?.service.config.retries.attempts !== 0;
  return bodyLength <= MAX_KEPT_BYTES && (tellsUnseen || idempotent);
}

/** Each try gets twice the time of the one before, and the last one all there is. 0: no limit of its own. */
export function tryMsOf(
  exchange: DownstreamExchange,
  { target, service }: { readonly target: ServiceTarget; readonly service: ServiceSteering },
  retrying: Retrying | null,
  nowMs: number,
): number {
  const { tryMs, firstByteMs } = service.config.timeouts;
  if (tryMs !== 'adaptive') return tryMs < firstByteMs ? tryMs : 0;
  const attemptsLeft = retrying === null ? service.config.retries.attempts > 0 : retrying.attemptsLeft;
  if (!attemptsLeft || !mayGoTwice(exchange)) return 0;
  const limitMs = target.tryLimit.limitMs(nowMs) * 2 ** (retrying?.late ?? 0);
  return limitMs < firstByteMs ? limitMs : 0;
}

/** No word came at all: as from a host, or a way to it, that is gone with everything behind it. */
const SILENT: ReadonlySet<ErrorCode> = new Set(['connect_timeout', 'first_byte_timeout']);

/** Made when an attempt is late or has failed; most requests never have one. */
export class Retrying implements RetryWaiter, HedgeRetries {
  /** Tries that were given up as late. */
  late = 0;
  /** Attempts that were given up for another one. */
  readonly failed: FailedAttempt[] = [];
  readonly #owner: RetryOwner;
  readonly #service: ServiceSteering;
  readonly #context: WorkerContext;
  readonly #tried: Endpoint[] = [];
  /** Given up as late for another place. */
  readonly #left: Attempt[] = [];
  #staleAt: Endpoint | null = null;
  /** Attempts that an endpoint told not to have seen. */
  #refused = 0;
  #hasRoom = false;
  /** Late, without room for another attempt, and still waited for. */
  #inLine: Attempt | null = null;
  /** Its attempt has failed, and there was no room for another one. */
  #waiting: { readonly target: ServiceTarget; readonly failure: Failure; readonly timer: Timer } | null = null;
  /** An answer while a better one is looked for. */
  #held: HeldAnswer | null = null;
  #hedge: Hedge | null = null;

  constructor(owner: RetryOwner, service: ServiceSteering, context: WorkerContext) {
    this.#owner = owner;
    this.#service = service;
    this.#context = context;
  }

  get attemptsLeft(): boolean {
    return this.#owner.attempts - this.#refused <= this.#service.config.retries.attempts;
  }

  /** A kept connection to it was dead; where one was closed the others most likely are too, and all attempts could be lost on them. */
  isStale(endpoint: Endpoint): boolean {
    return endpoint === this.#staleAt;
  }

  /** To another place after `attempt`, if there is one and another attempt is safe: at once, or as soon as the budget has room for it. */
  follow(attempt: Attempt, failure: Failure): void {
    const { code } = failure;
    if (!this.#isSafeAfter(attempt, code)) return this.#owner.followUp(null, failure);
    const place = this.#after(attempt, code);
    // The budget keeps trouble from being answered with more load; what no origin has seen is no load, it only goes elsewhere.
    const free = ERRORS[code].retry === 'unsent' || code === 'stale_connection';
    if (place === null) return this.#owner.followUp(null, failure);
    if (free || this.#takeRoom()) return this.#again(place, failure);
    // A body would come meanwhile.
    if (this.#owner.body !== null || this.#service.budget.isNone) return this.#noRoom(failure);
    const timer = this.#context.clock.after(ROOM_WAIT_MS, () => this.#waitedLong(), true);
    this.#waiting = { target: attempt.target, failure, timer };
    this.#context.counters.retry(this.#service.config.name, 'waited');
    this.#service.budget.join(this);
  }

  #again(place: Place, failure: Failure): void {
    this.#context.counters.retry(this.#service.config.name, 'retried');
    this.#owner.followUp(place, failure);
  }

  #noRoom(failure: Failure): void {
    this.#context.counters.retry(this.#service.config.name, 'refused');
    this.#owner.followUp(null, failure);
  }

  #waitedLong(): void {
    const waiting = this.#waiting;
    this.settle();
    if (waiting !== null) this.#noRoom(waiting.failure);
  }

  #isSafeAfter({ headSeen }: Attempt, code: ErrorCode): boolean {
    this.settle();
    // A connection that says goodbye refuses all that is on its way to it; that is no failed attempt of the request.
    if (code === 'stream_refused' && this.#refused < MAX_REFUSED) this.#refused += 1;
    const { retry } = ERRORS[code];
    const { exchange, body } = this.#owner;
    const safe = retry === 'unsent' || (retry === 'idempotent' && IDEMPOTENT.has(exchange.request.method));
    return !headSeen && safe && body?.isWhole !== false && this.attemptsLeft;
  }

  /** The first attempt, beside which a second one may be sent when its time has come. */
  hedge(place: Place, delay: HedgeDelay): void {
    this.#hedge = new Hedge(this.#owner, this, this.#service, this.#context);
    this.#hedge.start(place, delay);
  }

  /** Where a second attempt goes while `attempt` is waited for, with room in the budget; null: nowhere. */
  beside(attempt: Attempt): Place | null {
    if (!this.attemptsLeft) return null;
    const { name, sticky } = this.#service.config;
    const place = sticky?.scope === 'cluster' ? this.#within(attempt) : this.#beside(attempt);
    // Nobody stands in line for a second attempt.
    if (place === null || !place.endpoint.hasRoom || !place.endpoint.canConnect) return null;
    const allowed = this.#takeRoom();
    this.#context.counters.hedge(name, allowed ? 'sent' : 'refused');
    return allowed ? place : null;
  }

  /** Of two attempts `attempt` is over, and the other goes on. */
  without({ endpoint }: Attempt): void {
    this.#tried.push(endpoint);
  }

  /** Where to go after `attempt`; null: there is no other place. */
  #after(attempt: Attempt, code: ErrorCode): Place | null {
    const { target, endpoint } = attempt;
    this.#note(attempt, code);
    const again = code === 'stale_connection' || code === 'stream_refused';
    if (again) this.#staleAt = endpoint;
    else if (target.cluster.isFull) this.#tried.push(...target.cluster.endpoints);
    else this.#tried.push(endpoint);
    const last = this.#owner.attempts - this.#refused >= this.#service.config.retries.attempts;
    // Where only a kept connection was dead, its endpoint is most likely well; where something else failed before, it is as likely lost with the rest.
    const away = SILENT.has(code) || (last && !(again && this.failed.length === 1));
    return this.#place(target, away, this.#tried);
  }

  /** An answer came that may be better elsewhere. True: it is held back, and another attempt is on its way. */
  answered(attempt: Attempt, head: AnswerHead): boolean {
    const { target } = attempt;
    const { exchange, body } = this.#owner;
    if (!IDEMPOTENT.has(exchange.request.method) || exchange.upgrade !== '' || body?.isComplete === false || !this.attemptsLeft)
      return false;
    const here = spokenFor(attempt, head);
    const place = this.#ofVersion(target, [...this.#tried, ...here]);
    if (place === null) return false;
    const allowed = this.#takeRoom();
    this.#context.counters.retry(this.#service.config.name, allowed ? 'retried' : 'refused');
    if (!allowed) return false;
    this.hold(attempt, head);
    this.#owner.begin(place);
    return true;
  }

  /** Keeps an answer while another attempt may get a better one. */
  hold(attempt: Attempt, head: AnswerHead): void {
    this.#tried.push(...spokenFor(attempt, head));
    this.drop();
    this.#held = new HeldAnswer(attempt, head, this.#owner, this.#context);
  }

  /** False: no answer is held back, or what was held is lost. */
  deliverHeld(): boolean {
    const held = this.#held;
    this.#held = null;
    return held?.deliver() === true;
  }

  /** A better answer came than the one that is held back, or nobody wants one any more. */
  drop(): void {
    this.#held?.discard();
    this.#held = null;
  }

  /**
   * An endpoint of `target`, else of the next best target: one of its version that a request can go to now, else the first, where it can wait. To be short of connections moves
   * nobody to another version.
   */
  from(target: ServiceTarget): Place | null {
    const first = this.#place(target, false, this.#tried);
    const full: Endpoint[] = [];
    let place = first;
    while (place !== null && place.target.version === first?.target.version) {
      if (place.endpoint.canConnect) return place;
      full.push(...place.target.cluster.endpoints);
      place = this.#place(target, false, [...this.#tried, ...full]);
    }
    return first;
  }

  /** It takes longer than its limit: given up where another attempt can take its place, else waited for. */
  tooLate(attempt: Attempt): void {
    const { config, budget } = this.#service;
    const { target, endpoint } = attempt;
    const { counters, evidence, deadlines } = this.#context;
    // A limit that was written down holds; one that was worked out only says when to try elsewhere.
    const hard = config.timeouts.tryMs !== 'adaptive';
    const place = mayGoTwice(this.#owner.exchange) && this.attemptsLeft ? this.#beside(attempt) : null;
    if (!hard && place === null) return;
    target.tryLimit.gaveUp();
    evidence.late(target, endpoint, deadlines.nowMs);
    if (place !== null && this.#takeRoom()) return this.#elsewhere(attempt, place);
    if (place !== null) counters.retry(config.name, hard ? 'refused' : 'waited');
    if (hard) return this.#owner.goOn(attempt, tooLate(attempt), null);
    this.#inLine = attempt;
    budget.join(this);
  }

  onRetryRoom(): void {
    const waiting = this.#waiting;
    if (waiting !== null) return this.#followAtLast(waiting.target, waiting.failure);
    const attempt = this.#inLine;
    this.#inLine = null;
    this.#hasRoom = true;
    // While it waited, the other places may have been lost.
    const place = attempt === null ? null : this.#beside(attempt);
    if (attempt !== null && place !== null) return this.#elsewhere(attempt, place);
    this.#hasRoom = false;
    this.#service.budget.giveBack();
  }

  #followAtLast(target: ServiceTarget, failure: Failure): void {
    this.#waiting?.timer.cancel();
    this.#waiting = null;
    this.#hasRoom = true;
    // While it waited, the other places may have been lost, or have come back.
    const place = this.#place(target, true, this.#tried);
    if (place === null) this.#owner.followUp(null, failure);
    else this.#again(place, failure);
  }

  /** The head of an answer came. */
  cameFrom(attempt: Attempt): void {
    this.settle();
    const tookMs = attempt.headMs - attempt.sentMs;
    for (const { target, tryMs } of this.#left.splice(0)) if (target !== attempt.target && tookMs < tryMs) target.tryLimit.spared();
  }

  /** Its answer came, or it failed, or it is over: it waits for no room. */
  settle(): void {
    if (this.#inLine === null && this.#waiting === null) return;
    this.#inLine = null;
    this.#waiting?.timer.cancel();
    this.#waiting = null;
    this.#service.budget.leave(this);
  }

  /** The request is over. */
  close(): void {
    this.settle();
    this.#hedge?.close();
    this.drop();
    if (this.#hasRoom) this.#service.budget.giveBack();
    this.#hasRoom = false;
  }

  #takeRoom(): boolean {
    return this.#hasRoom || (this.#hasRoom = this.#service.budget.take());
  }

  #elsewhere(attempt: Attempt, place: Place): void {
    this.#context.counters.retry(this.#service.config.name, 'retried');
    this.late += 1;
    this.#left.push(attempt);
    this.#note(attempt, 'try_timeout');
    attempt.target.tries.gaveUp(attempt.tryMs);
    this.#tried.push(attempt.endpoint);
    this.#owner.goOn(attempt, tooLate(attempt), place);
  }

  #note({ target, endpoint }: Attempt, code: ErrorCode): void {
    const untilMs = Math.round(this.#context.nowMs() - this.#owner.exchange.startedMs);
    this.failed.push({ version: target.version, cluster: target.cluster.name, endpoint: endpoint.id, code, untilMs });
  }

  /** A place besides one that is still waited for. */
  #beside({ target, endpoint }: Attempt): Place | null {
    return this.#ofVersion(target, [...this.#tried, endpoint]);
  }

  /** Another endpoint of the same cluster. */
  #within({ target, endpoint }: Attempt): Place | null {
    const other = target.cluster.pick([...this.#tried, endpoint], this.#owner.exchange.request);
    return other === null ? null : { target, endpoint: other };
  }

  /** A place of the same version: slow and bad answers are its own, and no other version hides them. */
  #ofVersion(target: ServiceTarget, tried: readonly Endpoint[]): Place | null {
    const place = this.#place(target, true, tried);
    return place?.target.version === target.version ? place : null;
  }

  /**
   * An endpoint not tried yet, of `target` or of the next best target; `away`: of another cluster first, where the version has one. What was
   * late or met silence, and the last attempt, go away, as all endpoints of a cluster may be lost together.
   */
  #place(target: ServiceTarget, away: boolean, tried: readonly Endpoint[]): Place | null {
    const { request } = this.#owner.exchange;
    const exhausted: ServiceTarget[] = [];
    const other = away ? this.#service.alternative(target, [target], request.clientAddress) : null;
    let next = other?.version === target.version ? other : target;
    for (;;) {
      const endpoint = next.cluster.pick(tried, request);
      if (endpoint !== null) return { target: next, endpoint };
      exhausted.push(next);
      const best = this.#service.alternative(target, exhausted, request.clientAddress);
      if (best === null) return null;
      next = best;
    }
  }
}

/** Who says when to come again speaks for all of its cluster. */
function spokenFor({ target, endpoint }: Attempt, { fields }: AnswerHead): readonly Endpoint[] {
  return fieldValue(fields, 'retry-after') === undefined ? [endpoint] : target.cluster.endpoints;
}

function tooLate({ target, tryMs }: Attempt): Failure {
  return { code: 'try_timeout', detail: `${target.cluster.name} no answer within ${Math.round(tryMs)} ms` };
}
