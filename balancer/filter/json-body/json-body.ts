// Filter jsonBody: members of JSON bodies renamed, dropped, set and masked, while they stream.
import { WeirError } from '../../errors.ts';
import { removeBodyFields, weakenEtag } from '../../message/body-fields.ts';
import { removeField, setField, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead } from '../../message/response.ts';
import type { BodyTransform, FilterDefinition, RequestVerdict } from '../filter.ts';
import { CODINGS, Decoder } from '../request-limits/decoder.ts';
import { RewrittenBody } from './rewritten-body.ts';
import { checkSide, rulesOf, schema, type JsonBodyFile, type SideRules } from './options.ts';

/** `application/json`, and what is written in it (RFC 6839 section 3.1). */
const JSON_TYPE = /^[a-z0-9!#$&^_.-]+\/(?:[a-z0-9!#$&^_.+-]+\+)?json\s*(?:;|$)/i;
/** A value on each line. */
const LINES_TYPE = /^application\/(?:x-)?(?:ndjson|jsonl|jsonlines)\s*(?:;|$)/i;
const IDENTITY = 'identity';

/** How a body is written; null: in another way than JSON. */
type Form = 'one' | 'several' | null;

export const jsonBody: FilterDefinition = {
  name: 'jsonBody',
  summary: 'Renames, drops, sets and masks members of JSON bodies of requests and responses.',
  schema,
  example:
    '{ request: { remove: [/role], set: [{ at: /tenant, value: "${claims.tenant}" }] }, response: { mask: ["/**/cardNumber"], remove: [/items/*/cost] } }',
  answers: ['type_not_supported', 'coding_not_supported', 'body_malformed', 'body_too_deep', 'body_too_large', 'response_unfit'],
  notes: [
    'Places are JSON pointers (RFC 6901): `/user/email`, `/items/0`, `~1` for a slash and `~0` for `~` in a name, the empty one for the whole body. Besides, `*` is every member or element of its level and `**` any number of levels, none too: ' +
      '`/**/password` is every member of that name. Names count as they are read, however they are escaped; one that stands there twice is changed twice. All places tell of the body as it came; a member that is renamed is found under both names. ' +
      'Of several edits of one place: remove, then mask, then the first set. Of members that end up with the name of a renamed one, the first of the body is let out.',
    'Bodies are changed as they come and nothing of them is kept but the name of a member, so their size costs no memory. What comes out has no blanks between its parts, and a length that is not told beforehand. ' +
      'A request that turns out to be no JSON, too deep or too large is refused (400, 413) where it does; the service may have seen the beginning of a request that never becomes complete. ' +
      'A response whose head is sent by then is broken off, so that no client takes a part for the whole; where its head tells, it is 502 `response_unfit`.',
    'JSON is read strictly: no comments, no commas behind the last, UTF-8 alone. Readers that are looser would see members in it that this filter does not. ' +
      'Bodies of other types pass or are refused as `otherTypes` says, which for requests means refused by default (415), since services often read JSON whatever its type says. Lines of JSON (`application/x-ndjson`) are changed line by line.',
    'Bodies in gzip, deflate, Brotli or Zstandard are decoded, changed, and sent on as they are; other codings are refused (415, for responses 502). Services are asked for no coding; `compress` compresses what comes out. ' +
      'A body that is changed loses its digests, its `etag` becomes a weak one, and `if-match` with such a one asks the service for the strong one. Parts of a body cannot be changed: `range` does not reach the service, and an answer 206 does not go out.',
    'What weir answers itself is not changed. `cache` stores what the service said, so that a change of the file holds for what is stored too. ' +
      'Reading and writing costs 10 to 20 ms of a core for a MiB of JSON, and about 4 µs for a body of 100 bytes.',
  ],
  complete(options, place) {
    const { request, response } = options as JsonBodyFile;
    if (request !== undefined) checkSide('request', request, place);
    if (response !== undefined) checkSide('response', response, place);
    return options;
  },
  create(options) {
    const { request, response } = options as JsonBodyFile;
    const asked = request === undefined ? null : new RequestSide(rulesOf('request', request));
    const answered = response === undefined ? null : new ResponseSide(rulesOf('response', response));
    return {
      onRequest(canonical) {
        const refusal = asked?.onRequest(canonical);
        if (refusal === undefined) answered?.onRequest(canonical);
        return refusal;
      },
      ...(asked === null ? {} : { onRequestBody: (canonical) => asked.onRequestBody(canonical) }),
      ...(answered === null
        ? {}
        : {
            onResponse: (canonical, head) => answered.onResponse(canonical, head),
            onResponseBody: (canonical) => answered.onResponseBody(canonical),
          }),
      onEnd(canonical) {
        asked?.onEnd(canonical);
        answered?.onEnd(canonical);
      },
    };
  },
};

/** Of requests under way; each leaves at its end. A weak map would do it by itself, and cost more than the reading of a small body. */
type Bodies = Map<CanonicalRequest, RewrittenBody>;

function letGo(bodies: Bodies, request: CanonicalRequest): void {
  const body = bodies.get(request);
  if (body === undefined) return;
  bodies.delete(request);
  body.close();
}

class RequestSide {
  readonly #rules: SideRules;
  readonly #bodies: Bodies = new Map();

  constructor(rules: SideRules) {
    this.#rules = rules;
  }

  onRequest(request: CanonicalRequest): RequestVerdict {
    if (request.bodyLength === 0) return undefined;
    const { fields } = request;
    const form = formOf(fields, 'every');
    const { refusesOthers, maxBytes } = this.#rules;
    if (form === null) {
      if (!refusesOthers) return undefined;
      return { code: 'type_not_supported', detail: 'its body is no JSON, by its content-type, and is to be changed', fields: [] };
    }
    const coding = codingOf(fields);
    if (coding !== IDENTITY && !CODINGS.has(coding))
      return { code: 'coding_not_supported', detail: 'what is in the body is to be changed, and cannot be read', fields: [] };
    if (request.bodyLength > maxBytes && coding === IDENTITY)
      return { code: 'body_too_large', detail: `it has ${request.bodyLength} bytes, and ${maxBytes} may come`, fields: [] };
    this.#bodies.set(request, bodyOf(this.#rules, { request, response: null }, { form, coding, side: 'request' }));
    return undefined;
  }

  /** Filters before this one have looked at the fields by now, which tell of the body that they see. */
  onRequestBody(request: CanonicalRequest): BodyTransform | null {
    const body = this.#bodies.get(request) ?? null;
    if (body === null) return null;
    removeBodyFields(request.fields);
    removeField(request.fields, 'content-encoding');
    return body;
  }

  onEnd(request: CanonicalRequest): void {
    letGo(this.#bodies, request);
  }
}

class ResponseSide {
  readonly #rules: SideRules;
  readonly #bodies: Bodies = new Map();

  constructor(rules: SideRules) {
    this.#rules = rules;
  }

  /** What is asked for must be a whole body that can be read. */
  onRequest({ fields }: CanonicalRequest): void {
    for (const name of ['range', 'if-range']) removeField(fields, name);
    setField(fields, 'accept-encoding', IDENTITY);
    for (let i = 0; i < fields.length; i += 2)
      if (fields[i] === 'if-match') fields[i + 1] = (fields[i + 1] ?? '').replaceAll(/(^|,)(\s*)W\//g, '$1$2');
  }

  /** Throws a WeirError for what must not go out. */
  onResponse(request: CanonicalRequest, head: ResponseHead): void {
    const { status, fields } = head;
    if (head.own !== undefined || status === 204) return;
    if (status === 304) return weakenEtag(fields);
    const form = formOf(fields, 'some');
    const { refusesOthers, maxBytes } = this.#rules;
    const bodyLength = head.bodyLength ?? -1;
    if (form === null) {
      if (refusesOthers && bodyLength !== 0) throw unfit('its content-type is not JSON');
      return;
    }
    if (status === 206) throw unfit('a part of a body cannot be changed');
    const coding = codingOf(fields);
    if (coding !== IDENTITY && !CODINGS.has(coding)) throw unfit('its body is to be changed, and is in a coding that cannot be read');
    if (bodyLength > maxBytes && coding === IDENTITY) throw unfit(`its body has ${bodyLength} bytes, and ${maxBytes} may come`);
    this.#bodies.set(request, bodyOf(this.#rules, { request, response: head }, { form, coding, side: 'response' }));
    removeBodyFields(fields);
    removeField(fields, 'content-encoding');
    weakenEtag(fields);
  }

  onResponseBody(request: CanonicalRequest): BodyTransform | null {
    return this.#bodies.get(request) ?? null;
  }

  onEnd(request: CanonicalRequest): void {
    letGo(this.#bodies, request);
  }
}

const unfit = (detail: string): WeirError => new WeirError('response_unfit', detail);

interface Written {
  readonly form: 'one' | 'several';
  readonly coding: string;
  readonly side: 'request' | 'response';
}

function bodyOf(rules: SideRules, from: ConstructorParameters<typeof RewrittenBody>[1], { form, coding, side }: Written): RewrittenBody {
  const known = CODINGS.get(coding);
  const decoder = known === undefined ? null : new Decoder(known);
  return new RewrittenBody(rules, from, { decoder, several: form === 'several', side });
}

/**
 * A body without a type is taken for JSON, which a reader may do too. Where several types are told, a request is JSON if all are, and a
 * response if one is: the one is to be refused in doubt, the other to be changed.
 */
function formOf(fields: Readonly<Fields>, wanted: 'every' | 'some'): Form {
  const forms: Form[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'content-type') continue;
    const type = (fields[i + 1] ?? '').trim();
    forms.push(JSON_TYPE.test(type) ? 'one' : LINES_TYPE.test(type) ? 'several' : null);
  }
  const [first = 'one'] = forms;
  if (wanted === 'every') return forms.every((form) => form === first) ? first : null;
  return forms.length === 0 ? first : (forms.find((form) => form !== null) ?? null);
}

/** Several codings make one that nobody knows. */
function codingOf(fields: Readonly<Fields>): string {
  let codings: string[] | null = null;
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i] === 'content-encoding') codings = [...(codings ?? []), ...(fields[i + 1] ?? '').split(',')];
  if (codings === null) return IDENTITY;
  const told = codings.map((coding) => coding.trim().toLowerCase()).filter((coding) => coding !== '' && coding !== IDENTITY);
  return told.join(',') || IDENTITY;
}
