// Filter requestLimits: requests that are larger or deeper than the service wants are refused before it has all of them.
import { Type, type Static } from '../../schema/type.ts';
import { parseSize } from '../../config/quantities.ts';
import { mapping, valueOf } from '../../config/schema-parts.ts';
import { WeirError } from '../../errors.ts';
import { fieldValue, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { BodyTransform, FilterDefinition, LastBytes, RequestVerdict } from '../filter.ts';
import { CODINGS, Decoder } from './decoder.ts';
import { JsonDepth } from './json-depth.ts';

const size = (description: string) => Type.Optional(valueOf('size', description));
const count = (description: string, maximum: number) => Type.Optional(Type.Integer({ minimum: 1, maximum, description }));

const schema = mapping(
  {
    body: size('The largest body, as it is sent'),
    decodedBody: size('The largest body once its content coding is undone; bodies in a coding that weir does not know are refused'),
    jsonDepth: count('How deep mappings and lists of a JSON body may stand in each other', 10_000),
    target: size('The longest path and query'),
    fields: count('The most fields of the head', 10_000),
    fieldBytes: size('The most bytes of names and values of all fields'),
  },
  'Options of requestLimits',
  { minProperties: 1, expected: 'at least one limit, such as body: 1MiB' },
);

interface Limits {
  readonly body: number;
  readonly decodedBody: number;
  readonly jsonDepth: number;
  readonly target: number;
  readonly fields: number;
  readonly fieldBytes: number;
}

const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json\s*(?:;|$)/i;

export const requestLimits: FilterDefinition = {
  name: 'requestLimits',
  summary: 'Refuses requests that are too large, or too deeply nested, for the service.',
  schema,
  example: '{ body: 1MiB, decodedBody: 10MiB, jsonDepth: 32, target: 2KiB, fields: 60 }',
  answers: ['body_too_large', 'body_too_deep', 'body_malformed', 'coding_not_supported', 'target_too_long', 'head_too_large'],
  notes: [
    'A body whose length is told is refused before any of it is read; others are ended where they pass the limit, so the service may have seen the beginning of ' +
      'a request that never becomes complete. Bodies are looked at as they pass and nothing of them is kept; lengths stay as they were told.',
    '`decodedBody` and `jsonDepth` undo gzip, deflate, Brotli and Zstandard to look, piece by piece, so that a bomb is met by its first piece too much. The service gets the body as it was sent.',
    'The listener has limits of its own for every head (`listeners.<name>.limits`): these are for one route, and smaller.',
  ],
  complete(options) {
    const { body, decodedBody, target, fieldBytes, jsonDepth = Infinity, fields = Infinity } = options as Static<typeof schema>;
    const bytes = (text: string | undefined): number => (text === undefined ? Infinity : (parseSize(text) ?? Infinity));
    const limits: Limits = {
      ...{ body: bytes(body), decodedBody: bytes(decodedBody), target: bytes(target), fieldBytes: bytes(fieldBytes) },
      ...{ jsonDepth, fields },
    };
    // Infinity is no JSON.
    return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== Infinity));
  },
  create(options) {
    const given = options as Partial<Limits>;
    const limits: Limits = {
      ...{ body: Infinity, decodedBody: Infinity, jsonDepth: Infinity, target: Infinity, fields: Infinity, fieldBytes: Infinity },
      ...given,
    };
    const looksInside = limits.decodedBody !== Infinity || limits.jsonDepth !== Infinity;
    const watches = looksInside || limits.body !== Infinity;
    const bodies = new WeakMap<CanonicalRequest, WatchedBody>();
    return {
      onRequest: (request) => headProblem(request, limits) ?? bodyProblem(request, limits.body, looksInside),
      onRequestBody(request) {
        if (!watches) return null;
        const coding = looksInside ? CODINGS.get(codingOf(request.fields)) : undefined;
        const isJson = JSON_TYPE.test(fieldValue(request.fields, 'content-type') ?? '');
        const body = new WatchedBody(limits, coding === undefined ? null : new Decoder(coding), isJson);
        bodies.set(request, body);
        return body;
      },
      onEnd: (request) => bodies.get(request)?.close(),
    };
  },
};

function headProblem({ path, query, fields }: CanonicalRequest, limits: Limits): RequestVerdict {
  if (path.length + query.length > limits.target) {
    return { code: 'target_too_long', detail: `it has ${path.length + query.length} bytes, and ${limits.target} may come`, fields: [] };
  }
  if (fields.length / 2 > limits.fields) {
    return { code: 'head_too_large', detail: `it has ${fields.length / 2} fields, and ${limits.fields} may come`, fields: [] };
  }
  if (limits.fieldBytes === Infinity) return undefined;
  const bytes = fields.reduce((sum, text) => sum + text.length, 0);
  return bytes > limits.fieldBytes
    ? { code: 'head_too_large', detail: `its fields have ${bytes} bytes, and ${limits.fieldBytes} may come`, fields: [] }
    : undefined;
}

const IDENTITY = 'identity';

function codingOf(fields: Readonly<Fields>): string {
  return (fieldValue(fields, 'content-encoding') ?? '').trim().toLowerCase() || IDENTITY;
}

/** What can be said of a body before it comes. */
function bodyProblem({ bodyLength, fields }: CanonicalRequest, most: number, looksInside: boolean): RequestVerdict {
  if (bodyLength > most) return { code: 'body_too_large', detail: `it has ${bodyLength} bytes, and ${most} may come`, fields: [] };
  const coding = looksInside && bodyLength !== 0 ? codingOf(fields) : IDENTITY;
  return coding === IDENTITY || CODINGS.has(coding)
    ? undefined
    : { code: 'coding_not_supported', detail: 'what is in the body cannot be looked at, and is to be', fields: [] };
}

class WatchedBody implements BodyTransform {
  readonly watches = true;
  readonly #limits: Limits;
  /** Null: it is in no coding, or nobody wants to look inside. */
  readonly #decoder: Decoder | null;
  /** Null: it is no JSON, or may be as deep as it likes. */
  readonly #depth: JsonDepth | null;
  #received = 0;
  #decoded = 0;

  constructor(limits: Limits, decoder: Decoder | null, isJson: boolean) {
    this.#limits = limits;
    this.#decoder = decoder;
    this.#depth = limits.jsonDepth !== Infinity && isJson ? new JsonDepth() : null;
  }

  push(chunk: Buffer): Buffer {
    this.#received += chunk.length;
    if (this.#received > this.#limits.body) throw new WeirError('body_too_large', `more than ${this.#limits.body} bytes came`);
    if (this.#decoder === null) this.#look(chunk);
    else this.#decoder.push(chunk, (bytes) => this.#look(bytes));
    return chunk;
  }

  end(trailers: Fields): LastBytes {
    this.close();
    return { bytes: EMPTY, trailers };
  }

  close(): void {
    this.#decoder?.close();
  }

  #look(bytes: Buffer): void {
    this.#decoded += bytes.length;
    const { decodedBody, jsonDepth } = this.#limits;
    if (this.#decoded > decodedBody) throw new WeirError('body_too_large', `more than ${decodedBody} bytes are in it`);
    if (this.#depth !== null && this.#depth.push(bytes) > jsonDepth) {
      throw new WeirError('body_too_deep', `something stands in more than ${jsonDepth} others`);
    }
  }
}

const EMPTY = Buffer.alloc(0);
