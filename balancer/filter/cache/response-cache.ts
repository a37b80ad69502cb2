// The cache of one route: what it answers from its store, what it lets pass, and what it stores of that.
import type { ErrorCode } from '../../errors.ts';
import { ERRORS } from '../../errors.ts';
import { fieldIndex, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead, StoredReply } from '../../message/response.ts';
import type { BodyTransform, Filter, FilterEnvironment, Recalled, RecalledReply, Refusal, RequestForm } from '../filter.ts';
import { answerFrom, type Asking } from './answer.ts';
import { isNameless, partitionOf, uriOf } from './asked.ts';
import { CollectedBody } from './collected-body.ts';
import { countedOn, type Counted } from './counted.ts';
import { requestDirectives, secondsOf, type Directives } from './directives.ts';
import { Flights } from './flights.ts';
import { Asked, keyOf, type Forwarded, type Revalidated, type Under, type Why } from './forwarded.ts';
import { Refreshing } from './refreshing.ts';
import type { ResponseStore } from './response-store.ts';
import { BodyInstead, conditionsFor, cookiesOf, isConditional, mergedFields, speaksOf, withoutConditions } from './revalidation.ts';
import { isFailure, type StaleRules } from './stale-rules.ts';
import { holds, storedFields, type StoringRules } from './storing-rules.ts';
import { sizeOf, type StoredResponse } from './stored-response.ts';
import { takeTags } from './tags.ts';
import { saysTheSame, valuesOf, variesBy } from './variants.ts';

/** As they are worked out of the file. */
export interface CacheOptions {
  readonly storeBytes: number;
  readonly objectBytes: number;
  readonly defaultMs: number;
  readonly statuses: readonly number[];
  readonly together: boolean;
  /** How long requests wait for another one of their kind; 0: not at all. */
  readonly waitMs: number;
  readonly stale: StaleRules;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** A client that wants to change what it has seen asks the service itself (RFC 9111 section 4.3.2). */
const PRECONDITIONS: readonly string[] = ['if-match', 'if-unmodified-since'];

const NOT_STORED: Refusal = {
  code: 'not_stored',
  detail: 'the request says only-if-cached',
  fields: ['cache-status', 'weir; detail="only-if-cached"'],
};

export class ResponseCache implements Filter {
  readonly #options: CacheOptions;
  readonly #rules: StoringRules;
  readonly #environment: FilterEnvironment;
  readonly #store: ResponseStore;
  readonly #counted: Counted;
  readonly #flights: Flights;
  readonly #forwarded = new WeakMap<CanonicalRequest, Forwarded>();
  /** Requests that wait for another one, and whose client is still there. */
  readonly #waiting = new WeakSet<CanonicalRequest>();
  readonly #refreshing: Refreshing;

  constructor(options: CacheOptions, environment: FilterEnvironment) {
    this.#options = options;
    this.#rules = {
      statuses: new Set(options.statuses),
      defaultMs: options.defaultMs,
      mostBytes: options.objectBytes,
      stale: options.stale,
    };
    this.#environment = environment;
    this.#store = environment.openStore(options.storeBytes);
    this.#flights = new Flights(environment.clock, options.waitMs);
    this.#counted = countedOn(environment);
    this.#refreshing = new Refreshing(environment.clock);
  }

  readonly recall = (request: CanonicalRequest, form: RequestForm): Recalled | Promise<Recalled> => {
    const { method, fields } = request;
    if ((method !== 'GET' && method !== 'HEAD') || form.upgrade !== '') return null;
    const { together } = this.#options;
    if (form.bodyLength !== 0 || request.otherMethods.length > 0 || (!together && isNameless(request)))
      return this.#pass(request, 'bypass');
    const directives = requestDirectives(fields);
    if (directives.has('no-store')) return this.#pass(request, 'request');
    const [uri, partition] = [uriOf(request), partitionOf(request, together)];
    let why: Why = 'request';
    let known: StoredResponse | null = null;
    if (!directives.has('no-cache') && !PRECONDITIONS.some((name) => fieldIndex(fields, name) >= 0)) {
      const found = this.#store.find(uri, partition, fields);
      if (typeof found === 'string') why = found;
      else {
        const ageMs = this.#environment.clock.nowMs() - found.bornMs;
        const isFresh = ageMs < found.lifetimeMs;
        if (isFresh && isWanted(directives, found.lifetimeMs, ageMs)) return this.#hit(request, found, ageMs);
        if (!isFresh) why = 'stale';
        if (!isFresh && ageMs - found.lifetimeMs < found.stale.revalidatingMs && isWanted(directives, found.lifetimeMs, ageMs))
          return this.#hitBehindEnd(request, found, ageMs);
        known = found;
      }
    }
    if (directives.has('only-if-cached')) return NOT_STORED;
    const under: Under = { uri, partition, known };
    if (method !== 'GET') return this.#pass(request, why, { ...under, isStored: false });
    // Of variants nobody knows whether the one that is under way will be this one.
    if (why !== 'uri-miss' && why !== 'stale') return this.#pass(request, why, under);
    const waited = this.#flights.wait(keyOf(under), fields);
    if (waited === null) return this.#pass(request, why, under);
    this.#waiting.add(request);
    return waited.then(() => this.#lookAgain(request, why, under));
  };

  readonly onResponse = (request: CanonicalRequest, head: ResponseHead): void => {
    if (head.own !== undefined || head.isRecalled === true) return;
    const { status } = head;
    const { fields, tags } = takeTags(head.fields);
    head.fields = fields;
    if ((!SAFE.has(request.method) || request.otherMethods.length > 0) && status >= 200 && status < 400)
      this.#environment.stores.invalidate(uriOf(request));
    const forwarded = this.#forwarded.get(request);
    if (forwarded === undefined) return;
    const { why, asked, known } = forwarded;
    if (isFailure(status) && this.#answerInstead(forwarded, request, head)) return;
    if (asked !== null && known !== null && status === 304) return this.#revalidate({ ...forwarded, asked, known }, request, head, tags);
    if (asked !== null && tags !== null) forwarded.collected = this.#collect(asked, head, { tags, forwarded });
    if (forwarded.collected === null) {
      asked?.flight?.end(false);
      if (forwarded.refresh !== null && isAboutIt(status)) forwarded.refresh = 'not_stored';
      // It is another one now, and nobody else may have that.
      if (known !== null && isAboutIt(status) && !isConditional(asked?.fields ?? [])) this.#store.remove(known);
    }
    const told = forwarded.collected !== null && (head.bodyLength ?? -1) >= 0 ? '; stored' : '';
    fields.push('cache-status', `weir; fwd=${why}${told}`);
  };

  readonly onResponseBody = (request: CanonicalRequest): BodyTransform | null => {
    const forwarded = this.#forwarded.get(request);
    return forwarded?.instead ?? forwarded?.collected ?? null;
  };

  readonly onEnd = (request: CanonicalRequest): void => {
    this.#waiting.delete(request);
    const forwarded = this.#forwarded.get(request);
    if (forwarded === undefined) return;
    this.#letGo(request, forwarded);
    const { refresh, known } = forwarded;
    if (refresh === null || known === null) return;
    this.#refreshing.end(known);
    this.#counted.refreshed[refresh].add(1);
  };

  /** The service, or the way to it, fails: what is stored may be served all the same (RFC 5861 section 4). */
  readonly recallInstead = (request: CanonicalRequest, code: ErrorCode): StoredReply | null => {
    const forwarded = this.#forwarded.get(request);
    const { status, blame } = ERRORS[code];
    if (forwarded === undefined || blame === 'client' || code === 'internal' || !isFailure(status)) return null;
    const reply = this.#replyInstead(forwarded, request, '');
    // What comes of it is no answer of the service.
    if (reply !== null) this.#letGo(request, forwarded);
    return reply;
  };

  #letGo(request: CanonicalRequest, { asked, collected }: Forwarded): void {
    this.#forwarded.delete(request);
    collected?.giveUp();
    if (asked === null) return;
    // It failed, or was let go: another one may do better.
    asked.flight?.end(true);
    this.#store.end(asked);
  }

  /** True: the stored answer goes to the client, in place of that of the service. */
  #answerInstead(forwarded: Forwarded, request: CanonicalRequest, head: ResponseHead): boolean {
    const reply = this.#replyInstead(forwarded, request, `; fwd-status=${head.status}`);
    if (reply === null) return false;
    forwarded.asked?.flight?.end(true);
    head.status = reply.status;
    head.fields = [...reply.fields];
    head.bodyLength = reply.bodyLength;
    forwarded.instead = new BodyInstead(reply.body);
    return true;
  }

  #replyInstead({ why, mayFallBack, asked }: Forwarded, request: CanonicalRequest, answered: string): StoredReply | null {
    if (!mayFallBack) return null;
    // Without the conditions that the service was asked by.
    const { fields } = asked ?? request;
    // It may have been purged meanwhile, or another one may have come.
    const found = this.#store.find(uriOf(request), partitionOf(request, this.#options.together), fields);
    if (typeof found === 'string') return null;
    const ageMs = this.#environment.clock.nowMs() - found.bornMs;
    const staleMs = ageMs - found.lifetimeMs;
    const holdsStill = staleMs < 0 && isWanted(requestDirectives(fields), found.lifetimeMs, ageMs);
    if (!holdsStill && staleMs >= found.stale.failingMs) return null;
    this.#counted.staleIfError.add(1);
    const { method } = request;
    return this.#reply(
      { method, fields },
      found,
      ageMs,
      `weir; fwd=${why}${answered}; ttl=${ttlOf(found, ageMs)}; detail="stale-if-error"`,
    );
  }

  /** The one that it waited for has come to something, or took too long. */
  #lookAgain(request: CanonicalRequest, why: Why, under: Under): Recalled {
    if (!this.#waiting.delete(request)) return null;
    const found = this.#store.find(under.uri, under.partition, request.fields);
    const known = typeof found === 'string' ? null : found;
    const ageMs = known === null ? 0 : this.#environment.clock.nowMs() - known.bornMs;
    if (known !== null && ageMs < known.lifetimeMs && isWanted(requestDirectives(request.fields), known.lifetimeMs, ageMs))
      return this.#hit(request, known, ageMs);
    return this.#pass(request, why, { ...under, known });
  }

  #hit(request: CanonicalRequest, found: StoredResponse, ageMs: number): StoredReply {
    this.#counted.hit.add(1);
    return this.#reply(request, found, ageMs, `weir; hit; ttl=${ttlOf(found, ageMs)}`);
  }

  /** What has come to its end, while one request that nobody waits for asks for what holds (RFC 5861 section 3). */
  #hitBehindEnd(request: CanonicalRequest, found: StoredResponse, ageMs: number): RecalledReply {
    this.#counted.hit.add(1);
    this.#counted.staleWhileRevalidating.add(1);
    const reply = this.#reply(request, found, ageMs, `weir; hit; ttl=${ttlOf(found, ageMs)}; detail="stale-while-revalidate"`);
    if (!this.#refreshing.begin(found)) return reply;
    const fields = withoutConditions(request.fields);
    const behind: CanonicalRequest = { ...request, method: 'GET', fields, requestId: `${request.requestId}.refresh` };
    this.#forward(behind, 'stale', { uri: found.uri, partition: found.partition, known: found, isStored: true, isBehind: true });
    return { ...reply, behind };
  }

  #reply(request: Asking, found: StoredResponse, ageMs: number, status: string): StoredReply {
    return answerFrom(found, request, { ageS: Math.floor(ageMs / 1000), status }, this.#environment.clock.wallMs());
  }

  /** `from`: what its response may be stored under; null: it is not. */
  #pass(request: CanonicalRequest, why: Why, from: Going | null = null): null {
    this.#counted[why === 'stale' ? 'stale' : why === 'uri-miss' || why === 'vary-miss' ? 'miss' : 'bypass'].add(1);
    this.#forward(request, why, from);
    return null;
  }

  #forward(request: CanonicalRequest, why: Why, from: Going | null): void {
    const asked = from === null || from.isStored === false ? null : new Asked(request, from, this.#environment.clock.nowMs());
    if (asked !== null) this.#store.begin(asked);
    const known = asked === null ? null : (from?.known ?? null);
    const isBehind = from?.isBehind === true;
    const conditional = isConditional(request.fields);
    const conditions = known === null || conditional ? [] : conditionsFor(known.fields);
    // A part, or that the client has it already, would be an answer for nobody else; one that holds for no time too.
    const isForOthers = !conditional && (known === null || known.lifetimeMs > 0);
    if (asked !== null && isForOthers && (why === 'uri-miss' || why === 'stale')) asked.flight = this.#flights.begin(keyOf(asked));
    if (conditions.length > 0) request.fields = [...request.fields, ...conditions];
    const mayFallBack = !isBehind && from !== null && from.known !== null;
    const byOurs = conditions.length > 0;
    const refresh = isBehind ? 'failed' : null;
    this.#forwarded.set(request, { why, asked, known, byOurs, mayFallBack, refresh, collected: null, instead: null });
  }

  /** The service says that nothing has changed. Who did not ask that gets all of it. */
  #revalidate({ asked, known, why, byOurs }: Revalidated, request: CanonicalRequest, head: ResponseHead, tags: Tags): void {
    const told = head.fields;
    const fields = mergedFields(known.fields, told, this.#environment.clock.wallMs());
    const kept = speaksOf(known.fields, told, byOurs) && this.#refresh(asked, known, { head, fields, tags });
    asked.flight?.end(kept);
    const status = `weir; fwd=${why}; fwd-status=304${kept ? '; stored' : ''}`;
    if (!byOurs) return void told.push('cache-status', status);
    head.status = known.status;
    head.fields = [...fields, ...cookiesOf(told), 'cache-status', status];
    head.bodyLength = known.body.length;
    const forwarded = this.#forwarded.get(request);
    if (forwarded === undefined) return;
    if (forwarded.refresh !== null) forwarded.refresh = kept ? 'unchanged' : 'not_stored';
    forwarded.instead = new BodyInstead(known.body);
  }

  /** Stores it as if it had just come; false: it may not be stored any more. */
  #refresh(asked: Asked, known: StoredResponse, { head, fields, tags }: Unchanged): boolean {
    const { clock } = this.#environment;
    const cameWallMs = clock.wallMs();
    // A cookie that comes with it is this client's alone: nothing says that the rest is not.
    const all = [...fields, ...cookiesOf(head.fields)];
    const whole = { status: known.status, fields: all, bodyLength: known.body.length };
    const held = holds(whole, asked, this.#rules, { askedMs: asked.atMs, cameMs: clock.nowMs(), cameWallMs });
    const varies = held === null ? null : variesBy(fields);
    this.#store.remove(known);
    if (held === null || varies === null || tags === null || asked.dropped) return false;
    const { uri, partition } = asked;
    const values = valuesOf(asked.fields, varies);
    const named = tags.length > 0 ? { tags } : {};
    this.#store.add({ ...known, ...named, uri, partition, varies, values, fields: storedFields(fields, cameWallMs), ...held });
    return true;
  }

  #add(response: StoredResponse): void {
    this.#counted.stored.add(1);
    this.#counted.storedBytes.add(sizeOf(response));
    this.#counted.evictions.add(this.#store.add(response));
  }

  /** Null: it is not stored. */
  #collect(asked: Asked, head: ResponseHead, { tags, forwarded }: ForStoring): CollectedBody | null {
    if (asked.dropped) return null;
    const { clock } = this.#environment;
    const cameWallMs = clock.wallMs();
    const held = holds(head, asked, this.#rules, { askedMs: asked.atMs, cameMs: clock.nowMs(), cameWallMs });
    const varies = held === null ? null : variesBy(head.fields);
    if (held === null || varies === null) return null;
    const { status } = head;
    const { flight } = asked;
    const values = valuesOf(asked.fields, varies);
    flight?.answered((others) => saysTheSame(others, varies, values));
    const kept = { uri: asked.uri, partition: asked.partition, varies, values, status, tags };
    const fields = storedFields(head.fields, cameWallMs);
    return new CollectedBody(this.#store, { most: this.#options.objectBytes, declared: head.bodyLength ?? -1 }, (body) => {
      const isStored = body !== null && !asked.dropped;
      if (isStored) this.#add({ ...kept, fields, body, ...held });
      if (forwarded.refresh !== null) forwarded.refresh = isStored ? 'renewed' : asked.dropped ? 'not_stored' : 'failed';
      flight?.end(body !== null && held.lifetimeMs > 0);
    });
  }
}

type Tags = readonly string[] | null;

/** What a 304 says of a stored response: the fields that it has then, and its tags; none: as before. */
interface Unchanged {
  readonly head: ResponseHead;
  readonly fields: Fields;
  readonly tags: Tags;
}

interface ForStoring {
  readonly tags: readonly string[];
  readonly forwarded: Forwarded;
}

type Going = Under & {
  /** False: only that it is known counts. */
  readonly isStored?: boolean;
  /** Nobody waits for it. */
  readonly isBehind?: boolean;
};

/** A service that fails, or has had too many requests, says nothing of what was asked for. */
const isAboutIt = (status: number): boolean => status < 500 && status !== 429;

const ttlOf = ({ lifetimeMs }: StoredResponse, ageMs: number): number => Math.floor((lifetimeMs - ageMs) / 1000);

/** Whether it is new enough for this client (RFC 9111 section 5.2.1). */
function isWanted(directives: Directives, lifetimeMs: number, ageMs: number): boolean {
  if (directives.size === 0) return true;
  const most = secondsOf(directives, 'max-age');
  const left = secondsOf(directives, 'min-fresh');
  return (most === undefined || ageMs <= most * 1000) && (left === undefined || lifetimeMs - ageMs >= left * 1000);
}
