// Filter compress: responses in the content coding that the client takes and that costs least, while they stream.
import { Type, type Static } from '../schema/type.ts';
import { sizeBytesOrZero } from '../config/quantities.ts';
import { choice, formsOf, listOf, mapping } from '../config/schema-parts.ts';
import { removeBodyFields, weakenEtag } from '../message/body-fields.ts';
import { fieldValue, removeField, type Fields } from '../message/fields.ts';
import { preferences } from '../message/preferences.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import { addVary } from '../message/vary.ts';
import type { Counter } from '../telemetry/meter.ts';
import { CODINGS, CodingStream, type Coding, type Effort } from './coding-stream.ts';
import type { BodyTransform, FilterDefinition, LastBytes } from './filter.ts';

const TYPES: readonly string[] = [
  'text/html',
  'text/css',
  'text/plain',
  'text/csv',
  'text/xml',
  'text/markdown',
  'text/javascript',
  'application/javascript',
  'application/json',
  'application/problem+json',
  'application/ld+json',
  'application/graphql-response+json',
  'application/manifest+json',
  'application/xml',
  'application/xhtml+xml',
  'application/rss+xml',
  'application/atom+xml',
  'application/wasm',
  'image/svg+xml',
];

const schema = mapping(
  {
    codings: listOf(choice(CODINGS, 'Coding'), 'Content codings; of those that a client likes as well, the first', {
      default: [...CODINGS],
      minItems: 1,
    }),
    types: listOf(
      Type.String({
        pattern: '^[a-z0-9.+-]+/(\\*|[a-z0-9.+-]+)$',
        description: 'Type',
        what: 'a media type',
        expected: 'for example text/html or text/*',
      }),
      'Types of bodies that are worth it, in lower case and without parameters',
      { default: [...TYPES], minItems: 1 },
    ),
    minSize: formsOf<string | 0>('sizeOrZero', 'Bodies that are known to be smaller go as they are', '1KiB'),
    effort: choice(['fast', 'normal', 'small'], 'How much time is spent on a smaller body', 'normal'),
  },
  'Options of compress',
);

type Options = Omit<Static<typeof schema>, 'minSize'> & { readonly minBytes: number };

/**
 * Responses that one process compresses at a time. Each needs up to a megabyte while it is on its way, however slowly the client reads;
 * those beyond go as they are.
 */
const MOST_AT_ONCE = 256;
let running = 0;

const NO_TRANSFORM = /(?:^|[,\s])no-transform(?:$|[,\s])/i;

export const compress: FilterDefinition = {
  name: 'compress',
  summary: 'Compresses responses with gzip, Brotli or Zstandard, as the client asks for.',
  schema,
  example: '{ codings: [zstd, gzip], types: [text/*, application/json] }',
  notes: [
    'The client says which codings it takes by `Accept-Encoding`, with weights. Left as they are: answers that have a `content-encoding` already, parts of a body (206), ' +
      '`cache-control: no-transform` of either side, answers of weir itself, and responses to HTTP/1.0. A response that another client would get compressed has ' +
      '`vary: accept-encoding`; one that is compressed has a weak `etag`, no length and no digests. HEAD is told what GET would be.',
    'Bodies are compressed as they come and nothing of them is held back: a response of unknown length, and so every stream of events whose type is listed ' +
      '(`text/event-stream` is not, unless `types` names it), leaves with each piece that the service sends. ' +
      `A process compresses ${MOST_AT_ONCE} responses at a time, in up to 1 MiB each; others go as they are.`,
    'CPU of all processes for one MiB of JSON, and how much smaller it gets, measured beside nginx 1.22 as a proxy with gzip (uncompressed: weir 2.7 ms, nginx 1.7 ms): ' +
      '`fast` zstd 6.1 ms, 5.2 times; br 8.7 ms, 4.7; gzip 12.9 ms, 4.5 (nginx level 1: 11.9 ms, 4.3). `normal` zstd 7.6 ms, 5.3; br 21.8 ms, 4.9; gzip 17.7 ms, 5.3 ' +
      '(nginx level 4: 19.2 ms, 5.2). The default puts zstd first, which costs least.',
    '**Secrets.** The length of a compressed response tells an eavesdropper whether a guess that a client was made to send, and that the page repeats, is like a secret in the same ' +
      'response (BREACH). Where a page holds a secret (a token against CSRF) beside text from the request, use no `compress` on its route, or let the service answer with ' +
      '`cache-control: no-transform`, or mask the secret anew for each response.',
  ],
  complete(options) {
    const { minSize, ...rest } = options as Static<typeof schema>;
    return { ...rest, minBytes: sizeBytesOrZero(minSize) };
  },
  create(options, { meter, route }) {
    const given = options as Options;
    // It throws where Node cannot: now, and not with the first response.
    for (const coding of given.codings) new CodingStream(coding, given.effort).close();
    const isWorthIt = typeTest(given.types);
    const counted = {
      before: meter.counter('weir_compression_in_bytes_total', [route]),
      after: meter.counter('weir_compression_out_bytes_total', [route]),
    };
    const wanted = new WeakMap<CanonicalRequest, Coding>();
    const bodies = new WeakMap<CanonicalRequest, CompressedBody>();
    return {
      onRequest(request) {
        const coding = request.version === '1.0' ? null : codingFor(request.fields, given.codings);
        // Now: a filter may hide from the service what the client takes.
        if (coding !== null && !isKept(request.fields)) wanted.set(request, coding);
        return undefined;
      },
      onResponse(request, head) {
        if (head.own !== undefined || head.status === 206 || head.status === 204) return;
        const coding = wanted.get(request);
        wanted.delete(request);
        const { fields } = head;
        if (isKept(fields) || isCoded(fields)) return;
        // It stands for the response that the client has, of which it does not tell the type.
        if (head.status === 304) {
          if (coding !== undefined) weakenEtag(fields);
          return;
        }
        if (!isWorthIt(fieldValue(fields, 'content-type')) || isSmall(head, given.minBytes)) return;
        addVary(fields, 'accept-encoding');
        if (coding === undefined || running >= MOST_AT_ONCE) return;
        removeField(fields, 'content-encoding');
        fields.push('content-encoding', coding);
        weakenEtag(fields);
        removeBodyFields(fields);
        const atOnce = head.bodyLength === undefined || head.bodyLength < 0;
        bodies.set(request, new CompressedBody({ coding, effort: given.effort, atOnce }, counted));
      },
      onResponseBody: (request) => bodies.get(request) ?? null,
      onEnd: (request) => bodies.get(request)?.close(),
    };
  },
};

/** The client's first choice, of several the file's; null: as it is. */
function codingFor(fields: Readonly<Fields>, codings: readonly Coding[]): Coding | null {
  const given = preferences(fields, 'accept-encoding');
  if (given === null) return null;
  const weightOf = (name: string): number | undefined => given.find(({ range }) => range === name)?.weight;
  const others = weightOf('*') ?? 0;
  let best: Coding | null = null;
  // What is named as it is goes before what is liked less.
  let bestWeight = weightOf('identity') ?? 0;
  for (const coding of codings) {
    const weight = weightOf(coding) ?? (coding === 'gzip' ? weightOf('x-gzip') : undefined) ?? others;
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && best === null)) [best, bestWeight] = [coding, weight];
  }
  return best;
}

function typeTest(types: readonly string[]): (type: string | undefined) => boolean {
  const exact = new Set(types);
  return (type) => {
    const bare = (type?.split(';', 1)[0] ?? '').trim().toLowerCase();
    return bare !== '' && (exact.has(bare) || exact.has(`${bare.split('/', 1)[0] ?? ''}/*`));
  };
}

/** RFC 9110 section 7.7: nobody between may change it. */
function isKept(fields: Readonly<Fields>): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === 'cache-control' && NO_TRANSFORM.test(fields[i + 1] ?? '')) return true;
  return false;
}

const isCoded = (fields: Readonly<Fields>): boolean =>
  (fieldValue(fields, 'content-encoding') ?? 'identity').trim().toLowerCase() !== 'identity';

const isSmall = ({ bodyLength }: Readonly<ResponseHead>, least: number): boolean =>
  bodyLength !== undefined && bodyLength >= 0 && bodyLength < Math.max(1, least);

interface Way {
  readonly coding: Coding;
  readonly effort: Effort;
  /** Each piece leaves when it comes: nobody knows when the next one does. */
  readonly atOnce: boolean;
}

class CompressedBody implements BodyTransform {
  readonly #way: Way;
  readonly #counted: { readonly before: Counter; readonly after: Counter };
  /** Null: nothing came yet, or nothing may follow. */
  #stream: CodingStream | null = null;
  #closed = false;

  constructor(way: Way, counted: { readonly before: Counter; readonly after: Counter }) {
    this.#way = way;
    this.#counted = counted;
  }

  push(chunk: Buffer): Buffer {
    this.#counted.before.add(chunk.length);
    return this.#made(this.#open().push(chunk, this.#way.atOnce));
  }

  end(trailers: Fields): LastBytes {
    const bytes = this.#made(this.#open().end());
    this.close();
    return { bytes, trailers };
  }

  close(): void {
    this.#closed = true;
    if (this.#stream === null) return;
    running -= 1;
    this.#stream.close();
    this.#stream = null;
  }

  #open(): CodingStream {
    if (this.#stream !== null) return this.#stream;
    if (this.#closed) throw new Error('a body goes on after its end');
    running += 1;
    return (this.#stream = new CodingStream(this.#way.coding, this.#way.effort));
  }

  #made(bytes: Buffer): Buffer {
    this.#counted.after.add(bytes.length);
    return bytes;
  }
}
