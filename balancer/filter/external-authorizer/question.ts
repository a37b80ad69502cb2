// What an authorizer is asked about a request, and by what one question is told from another.
import { hash } from 'node:crypto';
import type { Fields } from '../../message/fields.ts';
import { readingsOf } from '../../message/path-readings.ts';
import type { CanonicalRequest } from '../../message/request.ts';

export interface Question {
  /** As they go to the authorizer. */
  readonly fields: Fields;
  /** The same for questions that have one answer; empty: nothing is remembered. */
  readonly key: string;
}

/** What a decision goes by. */
export type KeyPart = 'method' | 'host' | 'path' | 'query' | 'address' | `header:${string}`;

/** Of one request: a path that can be read in many ways must not be as many questions. */
const MOST_QUESTIONS = 4;

export class Questions {
  readonly #sent: ReadonlySet<string>;
  /** Null: nothing is remembered. */
  readonly #keyed: KeyedBy | null;

  /** `sent`: names of fields of the request, in lower case. `by` null: nothing is remembered. */
  constructor(sent: readonly string[], by: readonly KeyPart[] | null) {
    this.#sent = new Set(sent);
    this.#keyed = by === null ? null : keyedBy(by, sent);
  }

  /** One for each way in which an origin may read the request, the canonical one first; null: there are too many. */
  of(request: CanonicalRequest): readonly Question[] | null {
    const sent = this.#sentOf(request);
    if (request.pathDoubts === 0 && request.otherMethods.length === 0) return [this.#one(request, sent, request)];
    const methods = [request.method, ...request.otherMethods];
    const paths = readingsOf(request.path);
    if (methods.length * paths.length > MOST_QUESTIONS) return null;
    return methods.flatMap((method) => paths.map((path) => this.#one(request, sent, { method, path })));
  }

  #sentOf({ fields }: CanonicalRequest): Fields {
    const sent: Fields = [];
    for (let i = 0; i < fields.length; i += 2) if (this.#sent.has(fields[i] ?? '')) sent.push(fields[i] ?? '', fields[i + 1] ?? '');
    return sent;
  }

  #one(request: CanonicalRequest, sent: Readonly<Fields>, asked: Pick<CanonicalRequest, 'method' | 'path'>): Question {
    const { scheme, authority, query, hasQuery, clientAddress, requestId } = request;
    const told = ['x-forwarded-method', asked.method, 'x-forwarded-proto', scheme, 'x-forwarded-host', authority];
    const target = hasQuery ? `${asked.path}?${query}` : asked.path;
    return {
      fields: [...told, 'x-forwarded-uri', target, 'x-forwarded-for', clientAddress, 'x-request-id', requestId, ...sent],
      key: this.#keyed === null ? '' : keyOf(this.#keyed, request, { ...asked, sent }),
    };
  }
}

interface KeyedBy {
  readonly parts: ReadonlySet<KeyPart>;
  readonly fields: ReadonlySet<string>;
}

const WHOLE: readonly KeyPart[] = ['method', 'host', 'path', 'query', 'address'];

function keyedBy(by: readonly KeyPart[], sent: readonly string[]): KeyedBy {
  if (by.length === 0) return { parts: new Set(WHOLE), fields: new Set(sent) };
  const fields = by.filter((part) => part.startsWith('header:')).map((part) => part.slice('header:'.length).toLowerCase());
  return { parts: new Set(by), fields: new Set(fields) };
}

interface Asked extends Pick<CanonicalRequest, 'method' | 'path'> {
  readonly sent: Readonly<Fields>;
}

/** Hashed, as credentials are among it. No part can hold a line end. */
function keyOf({ parts, fields }: KeyedBy, request: CanonicalRequest, { method, path, sent }: Asked): string {
  const of: Record<(typeof WHOLE)[number], string> = {
    method,
    host: `${request.scheme}://${request.authority}`,
    path,
    query: request.hasQuery ? `?${request.query}` : '',
    address: request.clientAddress,
  };
  let text = '';
  for (const part of WHOLE) text += parts.has(part) ? `${of[part]}\n` : '\n';
  for (let i = 0; i < sent.length; i += 2) if (fields.has(sent[i] ?? '')) text += `${sent[i]}:${sent[i + 1]}\n`;
  return hash('sha256', text, 'base64');
}
