// What conditions may ask about a request and its caller.
import type { Fields } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Variable, Variables } from './compiled.ts';
import { DYN, Failed, INT, Instant, listType, mapType, Mapping, STRING, TIMESTAMP, type ValueType } from './values.ts';

/** One request, in one of the readings of its method and path. */
export class AskedRequest {
  readonly request: CanonicalRequest;
  readonly method: string;
  readonly path: string;
  readonly identity: Identity;
  readonly tags: readonly string[];
  readonly wallMs: number;
  #query: QueryParameters | null = null;

  constructor(request: CanonicalRequest, asked: { readonly method: string; readonly path: string }, caller: Caller) {
    this.request = request;
    this.method = asked.method;
    this.path = asked.path;
    this.identity = caller.identity;
    this.tags = caller.tags;
    this.wallMs = caller.wallMs;
  }

  get query(): Mapping {
    return (this.#query ??= new QueryParameters(this.request.query));
  }
}

interface Caller {
  readonly identity: Identity;
  readonly tags: readonly string[];
  /** When it asks. */
  readonly wallMs: number;
}

const variable = (type: ValueType, summary: string, read: (from: AskedRequest) => unknown): Variable<AskedRequest> => ({
  type,
  summary,
  read,
});

const TEXTS = listType(STRING);
const NO_CLAIMS = {};

export const REQUEST_VARIABLES: Variables<AskedRequest> = new Map([
  ['request.method', variable(STRING, 'as sent: `GET`', ({ method }) => method)],
  ['request.scheme', variable(STRING, '`http` or `https`', ({ request }) => request.scheme)],
  ['request.host', variable(STRING, 'lower case, without port', ({ request }) => request.host)],
  ['request.path', variable(STRING, 'the canonical path, without the query', ({ path }) => path)],
  [
    'request.headers',
    variable(
      mapType(STRING),
      'fields by their names in lower case; several lines of one name are joined with `, `',
      ({ request }) => new HeaderFields(request.fields),
    ),
  ],
  [
    'request.query',
    variable(mapType(STRING), 'parameters of the query, decoded; one that stands there more than once has no value', (from) => from.query),
  ],
  ['request.size', variable(INT, 'bytes of the body; -1: not known yet', ({ request }) => request.bodyLength)],
  ['request.time', variable(TIMESTAMP, 'when it is asked', ({ wallMs }) => new Instant(wallMs))],
  ['request.listener', variable(STRING, 'the listener it came through', ({ request }) => request.listener)],
  ['client.address', variable(STRING, 'as limits by address see it', ({ request }) => request.clientAddress)],
  ['consumer.name', variable(STRING, 'empty: somebody whom an issuer vouches for, and no consumer', ({ identity }) => identity.consumer)],
  ['consumer.groups', variable(TEXTS, 'its groups', ({ identity }) => identity.groups)],
  ['consumer.tags', variable(TEXTS, 'its tags', ({ tags }) => tags)],
  ['consumer.method', variable(STRING, 'what proved it: `key`, `jwt`, …', ({ identity }) => identity.method)],
  ['consumer.credential', variable(STRING, 'which of its credentials, by the id that may be seen', ({ identity }) => identity.credential)],
  ['scopes', variable(TEXTS, 'what its credentials give', ({ identity }) => identity.scopes)],
  ['claims', variable(mapType(DYN), 'of its token', ({ identity }) => identity.claims ?? NO_CLAIMS)],
]);

class HeaderFields extends Mapping {
  readonly #fields: Readonly<Fields>;

  constructor(fields: Readonly<Fields>) {
    super();
    this.#fields = fields;
  }

  get(name: string): string | undefined {
    let joined: string | undefined;
    for (let i = 0; i < this.#fields.length; i += 2) {
      if (this.#fields[i] !== name) continue;
      const value = this.#fields[i + 1] ?? '';
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  names(): readonly string[] {
    return [...new Set(this.#fields.filter((_, index) => index % 2 === 0))];
  }
}

const REPEATED = new Failed('value', 'the parameter stands there more than once, and origins differ in which one they take');

class QueryParameters extends Mapping {
  readonly #values = new Map<string, string | Failed>();

  constructor(query: string) {
    super();
    for (const pair of query.split('&')) {
      if (pair === '') continue;
      const at = pair.indexOf('=');
      const name = decoded(at < 0 ? pair : pair.slice(0, at));
      this.#values.set(name, this.#values.has(name) ? REPEATED : decoded(at < 0 ? '' : pair.slice(at + 1)));
    }
  }

  get(name: string): string | Failed | undefined {
    return this.#values.get(name);
  }

  names(): readonly string[] {
    return [...this.#values.keys()];
  }
}

/** As forms are; what cannot be decoded stays as it is. */
function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
