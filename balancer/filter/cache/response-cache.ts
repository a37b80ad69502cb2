// The cache of one route: what it answers from its store, what it lets pass, and what it stores of that.
import { fieldIndex, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead, StoredReply } from '../../message/response.ts';
import type { Counter } from '../../telemetry/meter.ts';
import type { BodyTransform, Filter, FilterEnvironment, Recalled, Refusal, RequestForm } from '../filter.ts';
import { answerFrom } from './answer.ts';
import { isAuthenticated, isNameless, partitionOf, uriOf } from './asked.ts';
import { CollectedBody } from './collected-body.ts';
import { requestDirectives, secondsOf, type Directives } from './directives.ts';
import { BodyInstead, conditionsFor, cookiesOf, isConditional, mergedFields, speaksOf } from './revalidation.ts';
import { Flights, type Flight } from './flights.ts';
import type { NotFound, Pending, ResponseStore } from './response-store.ts';
import { holds, storedFields, type AskedBy, type StoringRules } from './storing-rules.ts';
import { sizeOf, type StoredResponse } from './stored-response.ts';
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
}

/** Why a request goes on, as `cache-status` says it (RFC 9211 section 2.2). */
type Why = NotFound | 'stale' | 'request' | 'bypass';

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

  constructor(options: CacheOptions, environment: FilterEnvironment) {
    this.#options = options;
    this.#rules = { statuses: new Set(options.statuses), defaultMs: options.defaultMs, mostBytes: options.objectBytes };
    this.#environment = environment;
    this.#store = environment.openStore(options.storeBytes);
    this.#flights = new Flights(environment.clock, options.waitMs);
    this.#counted = countedOn(environment);
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
        known = found;
      }
    }
    if (directives.has('only-if-cached')) return NOT_STORED;
    if (method !== 'GET') return this.#pass(request, why);
    const under: Under = { uri, partition, known };
    // Of variants nobody knows whether the one that is under way will be this one.
    if (why !== 'uri-miss' && why !== 'stale') return this.#pass(request, why, under);
    const waited = this.#flights.wait(keyOf(under), fields);
    if (waited === null) return this.#pass(request, why, under);
    this.#waiting.add(request);
    return waited.then(() => this.#lookAgain(request, why, under));
  };

  readonly onResponse = (request: CanonicalRequest, head: ResponseHead): void => {
    if (head.own !== undefined) return;
    const { status, fields } = head;
    if ((!SAFE.has(request.method) || request.otherMethods.length > 0) && status >= 200 && status < 400)
      this.#environment.stores.invalidate(uriOf(request));
    const forwarded = this.#forwarded.get(request);
    if (forwarded === undefined) return;
    const { why, asked, known } = forwarded;
    if (asked !== null && known !== null && status === 304) return this.#revalidate({ ...forwarded, asked, known }, request, head);
    if (asked !== null) forwarded.collected = this.#collect(asked, head);
    if (forwarded.collected === null) asked?.flight?.end(false);
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
    this.#forwarded.delete(request);
    const { asked, collected } = forwarded;
    collected?.giveUp();
    if (asked === null) return;
    // It failed, or was let go: another one may do better.
    asked.flight?.end(true);
    this.#store.end(asked);
  };

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
    const ttl = Math.floor((found.lifetimeMs - ageMs) / 1000);
    const told: Fields = ['age', `${Math.floor(ageMs / 1000)}`, 'cache-status', `weir; hit; ttl=${ttl}`];
    return answerFrom(found, request, told, this.#environment.clock.wallMs());
  }

  /** `from`: what its response may be stored under; null: it is not. */
  #pass(request: CanonicalRequest, why: Why, from: Under | null = null): null {
    this.#counted[why === 'stale' ? 'stale' : why === 'uri-miss' || why === 'vary-miss' ? 'miss' : 'bypass'].add(1);
    const asked = from === null ? null : new Asked(request, from, this.#environment.clock.nowMs());
    if (asked !== null) this.#store.begin(asked);
    const known = from?.known ?? null;
    const conditional = isConditional(request.fields);
    const conditions = known === null || conditional ? [] : conditionsFor(known.fields);
    // A part, or that the client has it already, would be an answer for nobody else; one that holds for no time too.
    const isForOthers = !conditional && (known === null || known.lifetimeMs > 0);
    if (asked !== null && isForOthers && (why === 'uri-miss' || why === 'stale')) asked.flight = this.#flights.begin(keyOf(asked));
    if (conditions.length > 0) request.fields = [...request.fields, ...conditions];
    this.#forwarded.set(request, { why, asked, known, byOurs: conditions.length > 0, collected: null, instead: null });
    return null;
  }

  /** The service says that nothing has changed. Who did not ask that gets all of it. */
  #revalidate({ asked, known, why, byOurs }: Revalidated, request: CanonicalRequest, head: ResponseHead): void {
    const { clock } = this.#environment;
    const told = head.fields;
    const fields = mergedFields(known.fields, told, clock.wallMs());
    const kept = speaksOf(known.fields, told, byOurs) && this.#refresh(asked, known, { head, fields });
    asked.flight?.end(kept);
    const status = `weir; fwd=${why}; fwd-status=304${kept ? '; stored' : ''}`;
    if (!byOurs) return void told.push('cache-status', status);
    head.status = known.status;
    head.fields = [...fields, ...cookiesOf(told), 'cache-status', status];
    head.bodyLength = known.body.length;
    const forwarded = this.#forwarded.get(request);
    if (forwarded !== undefined) forwarded.instead = new BodyInstead(known.body);
  }

  /** Stores it as if it had just come; false: it may not be stored any more. */
  #refresh(asked: Asked, known: StoredResponse, { head, fields }: { readonly head: ResponseHead; readonly fields: Fields }): boolean {
    const { clock } = this.#environment;
    const cameWallMs = clock.wallMs();
    // A cookie that comes with it is this client's alone: nothing says that the rest is not.
    const all = [...fields, ...cookiesOf(head.fields)];
    const whole = { status: known.status, fields: all, bodyLength: known.body.length };
    const held = holds(whole, asked, this.#rules, { askedMs: asked.atMs, cameMs: clock.nowMs(), cameWallMs });
    const varies = held === null ? null : variesBy(fields);
    this.#store.remove(known);
    if (held === null || varies === null || asked.dropped) return false;
    const { uri, partition } = asked;
    const values = valuesOf(asked.fields, varies);
    this.#store.add({ ...known, uri, partition, varies, values, fields: storedFields(fields, cameWallMs), ...held });
    return true;
  }

  #add(response: StoredResponse): void {
    this.#counted.stored.add(1);
    this.#counted.storedBytes.add(sizeOf(response));
    this.#counted.evictions.add(this.#store.add(response));
  }

  /** Null: it is not stored. */
  #collect(asked: Asked, head: ResponseHead): CollectedBody | null {
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
    const kept = { uri: asked.uri, partition: asked.partition, varies, values, status };
    const fields = storedFields(head.fields, cameWallMs);
    return new CollectedBody(this.#store, { most: this.#options.objectBytes, declared: head.bodyLength ?? -1 }, (body) => {
      if (body !== null && !asked.dropped) this.#add({ ...kept, fields, body, ...held });
      flight?.end(body !== null && held.lifetimeMs > 0);
    });
  }
}

interface Under {
  readonly uri: string;
  readonly partition: string;
  /** What is stored of it and does not hold; null: nothing. */
  readonly known: StoredResponse | null;
}

/** A request that went on. */
interface Forwarded {
  readonly why: Why;
  /** Null: its response is not stored. */
  readonly asked: Asked | null;
  readonly known: StoredResponse | null;
  /** The service was asked whether what is known still holds. */
  readonly byOurs: boolean;
  collected: CollectedBody | null;
  /** Sent in place of what comes; null: what comes is sent. */
  instead: BodyInstead | null;
}

type Revalidated = Forwarded & { readonly asked: Asked; readonly known: StoredResponse };

/** What a request was like before fields for the cluster were added. */
class Asked implements Pending, AskedBy {
  readonly uri: string;
  readonly partition: string;
  readonly fields: Readonly<Fields>;
  readonly authenticated: boolean;
  readonly hasCookie: boolean;
  /** On the monotonic clock. */
  readonly atMs: number;
  dropped = false;
  /** Null: nobody waits for it. */
  flight: Flight | null = null;

  constructor(request: CanonicalRequest, { uri, partition }: Omit<Under, 'known'>, atMs: number) {
    this.uri = uri;
    this.partition = partition;
    this.fields = request.fields.slice();
    this.authenticated = isAuthenticated(request);
    this.hasCookie = fieldIndex(request.fields, 'cookie') >= 0;
    this.atMs = atMs;
  }

  drop(): void {
    this.dropped = true;
  }
}

/** Requests that may get the same response. */
const keyOf = ({ uri, partition }: Pick<Under, 'uri' | 'partition'>): string => `${partition}\n${uri}`;

/** Whether it is new enough for this client (RFC 9111 section 5.2.1). */
function isWanted(directives: Directives, lifetimeMs: number, ageMs: number): boolean {
  if (directives.size === 0) return true;
  const most = secondsOf(directives, 'max-age');
  const left = secondsOf(directives, 'min-fresh');
  return (most === undefined || ageMs <= most * 1000) && (left === undefined || lifetimeMs - ageMs >= left * 1000);
}

interface Counted {
  readonly hit: Counter;
  readonly miss: Counter;
  readonly stale: Counter;
  readonly bypass: Counter;
  readonly stored: Counter;
  readonly storedBytes: Counter;
  readonly evictions: Counter;
}

function countedOn({ meter, route }: FilterEnvironment): Counted {
  const requests = (outcome: string): Counter => meter.counter('weir_cache_requests_total', [route, outcome]);
  return {
    hit: requests('hit'),
    miss: requests('miss'),
    stale: requests('stale'),
    bypass: requests('bypass'),
    stored: meter.counter('weir_cache_stored_total', [route]),
    storedBytes: meter.counter('weir_cache_stored_bytes_total', [route]),
    evictions: meter.counter('weir_cache_evictions_total', [route]),
  };
}
