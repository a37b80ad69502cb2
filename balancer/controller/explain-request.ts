// From what an operator asks to the request that a listener would read: the same canonical form, by the same code.
import { isIP } from 'node:net';
import type { Config, ListenerConfig } from '../config/config.ts';
import type { ErrorCode } from '../errors.ts';
import { canonicalRequest } from '../message/canonical-request.ts';
import { AddressSet, plainAddress } from '../message/client-address.ts';
import { isFieldValue, isToken } from '../message/grammar.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { ExplainRequest } from './api/explain-view.ts';

export interface Posed {
  readonly listener: ListenerConfig;
  /** An error: a listener refuses it. */
  readonly request: CanonicalRequest | ErrorCode;
  readonly notes: string[];
}

export type Posing = { readonly ok: true; readonly value: Posed } | { readonly ok: false; readonly message: string };

/** Not the URL parser's: that mends what a listener would have to read as it is. */
const URL_PARTS = /^(https?):\/\/([^/?#]*)([^#]*)(#.*)?$/i;
/** RFC 5737: belongs to nobody, so nobody trusts it. */
const SOME_CLIENT = '192.0.2.1';

export function poseRequest({ listeners }: Pick<Config, 'listeners'>, asked: ExplainRequest): Posing {
  const parts = URL_PARTS.exec(asked.url);
  if (parts === null)
    return refuse(`url: expected http:// or https:// with a host and a path, as in https://shop.example.com/api, got ${show(asked.url)}`);
  const [, scheme = '', authority = '', rest = '', fragment] = parts;
  const secure = scheme.toLowerCase() === 'https';
  const method = asked.method ?? 'GET';
  if (!isToken(method)) return refuse(`method: expected a method such as GET or POST, got ${show(method)}`);
  const client = asked.client ?? SOME_CLIENT;
  if (isIP(client) === 0) return refuse(`client: expected an IPv4 or IPv6 address, got ${show(client)}`);
  const headers = fieldsOf(asked.headers ?? []);
  if (typeof headers === 'string') return refuse(headers);
  const found = listenerFor(listeners, { named: asked.listener, secure, authority });
  if (typeof found === 'string') return refuse(found);
  const { listener, notes } = found;
  const peerAddress = plainAddress(client);
  const trusted = new AddressSet(listener.trustedPeers);
  const request = canonicalRequest(
    {
      method,
      target: rest.startsWith('/') ? rest : `/${rest}`,
      authority: headers.host ?? authority,
      fields: headers.fields,
      version: '1.1',
      acceptsTrailers: false,
      namesMethod: true,
    },
    {
      listener: listener.name,
      scheme: secure ? 'https' : 'http',
      peerAddress,
      peerTrusted: trusted.has(peerAddress),
      trusted,
      serverName: secure ? authority.replace(/:\d*$/, '').toLowerCase() : '',
      clientCertificate: null,
      underscores: listener.headers.underscores,
      nextRequestId: () => '',
    },
  );
  const assumed = asked.client === undefined ? [`no --client was given: ${SOME_CLIENT} is taken, which nobody trusts`] : [];
  const cut = fragment === undefined ? [] : [`clients never send ${fragment}`];
  return { ok: true, value: { listener, request, notes: [...notes, ...assumed, ...cut] } };
}

function refuse(message: string): Posing {
  return { ok: false, message };
}

const show = (text: string): string => JSON.stringify(text.slice(0, 80));

function fieldsOf(headers: readonly (readonly string[])[]): { readonly host: string | null; readonly fields: string[] } | string {
  const fields: string[] = [];
  let host: string | null = null;
  for (const [name = '', value = ''] of headers) {
    if (!isToken(name)) return `headers: expected a field name, got ${show(name)}; write 'name: value'`;
    if (!isFieldValue(value, 0, value.length)) return `headers: the value of ${name} has control characters`;
    if (name.toLowerCase() === 'host') host = value;
    else fields.push(name.toLowerCase(), value);
  }
  return { host, fields };
}

interface Wanted {
  readonly named: string | undefined;
  readonly secure: boolean;
  readonly authority: string;
}

/** The one that is named; else of those that speak HTTP, with or without TLS as the URL has it, the one with its port, else the first. */
function listenerFor(
  listeners: readonly ListenerConfig[],
  { named, secure, authority }: Wanted,
): { readonly listener: ListenerConfig; readonly notes: readonly string[] } | string {
  const names = listeners.map(({ name }) => name).join(', ');
  if (named !== undefined) {
    const listener = listeners.find(({ name }) => name === named);
    return listener === undefined ? `listener: there is no ${show(named)}, the config has ${names}` : { listener, notes: [] };
  }
  const http = listeners.filter(({ protocol }) => protocol === 'http');
  const fitting = http.filter(({ tls }) => (tls !== null) === secure);
  const port = Number(/:(\d+)$/.exec(authority)?.[1] ?? (secure ? 443 : 80));
  const exact = fitting.find(({ bind }) => bind.port === port);
  if (exact !== undefined) return { listener: exact, notes: [] };
  const [listener] = fitting.length > 0 ? fitting : http;
  if (listener === undefined) return `listener: no listener speaks HTTP; name one of ${names} by --listener`;
  const kind = secure ? 'with TLS' : 'without TLS';
  if (fitting.length === 0)
    return { listener, notes: [`no listener speaks HTTP ${kind}: ${listener.name} is taken; --listener names another`] };
  const others = fitting.length > 1 ? [`no listener has port ${port}: ${listener.name} is taken; --listener names another`] : [];
  return { listener, notes: others };
}
