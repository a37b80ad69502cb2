// One request to the API server, as the parts that write see it: who answers, with which credentials and over which connection, is the client's.

export type KubernetesMethod = 'GET' | 'POST' | 'PUT' | 'PATCH';

export interface KubernetesAnswer {
  readonly status: number;
  /** Decoded JSON; null: there was none. */
  readonly body: unknown;
}

/** `body` is sent as JSON, with PATCH as a merge patch (RFC 7386); null: none. Rejects when no answer came. */
export type KubernetesRequest = (
  method: KubernetesMethod,
  path: string,
  body: object | null,
  signal: AbortSignal,
) => Promise<KubernetesAnswer>;

/** What an answer that was not wanted says, for people: the message of a Status object, where there is one. */
export function problemOf({ status, body }: KubernetesAnswer): string {
  const message = memberOf(body, 'message');
  return `the API server answered ${status}${typeof message === 'string' ? `: ${message}` : ''}`;
}

/** A member of what was decoded; undefined: not an object, or not there. */
export function memberOf(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined;
  }
  return at;
}
