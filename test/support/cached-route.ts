// The filter cache of a route by itself, on virtual time: what a client gets, and whether the service was asked for it.
import assert from 'node:assert/strict';
import { ERRORS, type ErrorCode } from '../../balancer/errors.ts';
import type { Purge } from '../../balancer/intent/purge.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import { cache } from '../../balancer/filter/cache/cache.ts';
import { RouteStores } from '../../balancer/filter/cache/route-stores.ts';
import type { ResponseStore } from '../../balancer/filter/cache/response-store.ts';
import type { Filter } from '../../balancer/filter/filter.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';
import type { ResponseHead } from '../../balancer/message/response.ts';
import { aFilterEnvironment, asRecord } from './filter-environment.ts';
import { filterOptions } from './filter-options.ts';
import { ManualClock } from './manual-clock.ts';
import { aRequest } from './request.ts';

/** What the service says, if it is asked. */
export interface ServiceAnswer {
  readonly status?: number;
  readonly fields?: Fields;
  /** In pieces, as it comes. */
  readonly body?: readonly string[];
  /** As declared; absent: it is not. */
  readonly bodyLength?: number;
  readonly trailers?: Fields;
  /** It ends in the middle of its body. */
  readonly broken?: boolean;
  /** Nothing of all this: there is no answer for this reason. */
  readonly error?: ErrorCode;
}

export interface Gotten {
  /** Whether the service was not asked. */
  readonly stored: boolean;
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
  /** The request that goes to the service though no client waits for it; null: none. */
  readonly behind: Begun | null;
}

export interface Begun {
  /** As the service gets them. */
  fields(): Fields;
  answer(answer?: ServiceAnswer): Gotten;
}

export const FRESH: Fields = ['cache-control', 'max-age=60'];

export class CachedRoute {
  readonly clock = new ManualClock();
  readonly meter = new Meter();
  readonly #stores = new RouteStores(null, this);
  readonly #filter: Filter;

  constructor(options = '{}', store?: ResponseStore) {
    this.#filter = cache.create(
      filterOptions('cache', options),
      aFilterEnvironment({
        clock: this.clock,
        meter: this.meter,
        openStore: (maxBytes) => store ?? this.#stores.of({ name: 'shop', service: 'shop', filters: [] }, maxBytes),
        stores: store ?? this.#stores,
      }),
    );
  }

  /** What its worker hears of purges, each under its number. */
  purge(purges: Readonly<Record<number, Partial<Purge>>>): void {
    this.#stores.purge(Object.fromEntries(Object.entries(purges).map(([id, facts]) => [id, { ...PURGE, ...facts }])));
  }

  ask(facts: Partial<CanonicalRequest> = {}, answer: ServiceAnswer = {}, form = { bodyLength: 0, upgrade: '' }): Gotten {
    return this.begin(facts, form).answer(answer);
  }

  /** A request on its way, if the cache lets it pass. */
  begin(facts: Partial<CanonicalRequest> = {}, form = { bodyLength: 0, upgrade: '' }): Begun {
    const filter = this.#filter;
    const request = aRequest(facts);
    const kept = filter.recall?.(request, form) ?? null;
    assert.ok(!(kept instanceof Promise), 'it waits for another request');
    if (kept === null) return sent(filter, request);
    const refused = 'code' in kept;
    const behind = refused || kept.behind === undefined ? null : sent(filter, kept.behind);
    if (!refused) filter.onResponse?.(request, { status: kept.status, fields: [...kept.fields], isRecalled: true });
    filter.onEnd?.(request, { status: refused ? 504 : kept.status, durationMs: 0 });
    const fields = asRecord([...kept.fields]);
    return {
      fields: () => request.fields,
      answer: () =>
        refused
          ? { stored: false, status: 504, fields, body: kept.code, behind }
          : { stored: true, status: kept.status, fields, body: kept.body.toString(), behind },
    };
  }
}

const PURGE: Purge = { at: '2026-11-21T10:00:00.000Z', soft: false, route: null, urls: [], prefixes: [], tags: [] };

function sent(filter: Filter, request: CanonicalRequest): Begun {
  return { fields: () => request.fields, answer: (answer = {}) => passed(filter, request, answer) };
}

/** As a request ends that no place was found for. */
function lost(filter: Filter, request: CanonicalRequest, code: ErrorCode): Gotten {
  const kept = filter.recallInstead?.(request, code) ?? null;
  const head: ResponseHead =
    kept === null
      ? { status: ERRORS[code].status, fields: [], own: { body: code, code } }
      : { status: kept.status, fields: [...kept.fields], bodyLength: kept.bodyLength, isRecalled: true };
  filter.onResponse?.(request, head);
  filter.onEnd?.(request, { status: head.status, durationMs: 1 });
  const body = kept === null ? code : kept.body.toString();
  return { stored: kept !== null, status: head.status, fields: asRecord(head.fields), body, behind: null };
}

function passed(filter: Filter, request: CanonicalRequest, answer: ServiceAnswer): Gotten {
  if (answer.error !== undefined) return lost(filter, request, answer.error);
  const { status = 200, fields = [...FRESH], body = ['page'], trailers = [], broken = false, bodyLength } = answer;
  const head: ResponseHead = { status, fields: [...fields], ...(bodyLength === undefined ? {} : { bodyLength }) };
  filter.onResponse?.(request, head);
  const steps = filter.onResponseBody?.(request, head) ?? null;
  let text = '';
  for (const piece of request.method === 'HEAD' ? [] : body) {
    // As from a socket: the same memory is used for what comes next.
    const chunk = Buffer.from(piece);
    text += (steps?.push(chunk) ?? chunk).toString();
    chunk.fill(0);
  }
  if (!broken) text += steps?.end(trailers).bytes.toString() ?? '';
  filter.onEnd?.(request, { status, durationMs: 1 });
  return { stored: false, status: head.status, fields: asRecord(head.fields), body: text, behind: null };
}
