// How the hubs are reached, as an operator said it: checked once, with what is wrong and how it is put right.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Credentials } from './hub-connection.ts';
import { AGENT_PATH } from './protocol.ts';

export interface HubSettings {
  /** `ws://HOST:PORT` or `wss://HOST:PORT`, with a path where a proxy wants one; of a name with several addresses each is a hub. */
  readonly hubs: readonly string[];
  readonly cluster: string;
  /** The secret itself, or what reads it anew before each connection (a file that is rotated); null: the certificate says who this is. */
  readonly token: string | (() => string) | null;
  /** PEM files that the agent proves itself with, read anew before each connection; null: the token does. */
  readonly certificate: { readonly certFile: string; readonly keyFile: string } | null;
  /** PEM file of the authority that signed the hubs' certificates, no other is believed then; null: the system's authorities. */
  readonly caFile: string | null;
  /** Whether the token may travel in the clear to other machines. */
  readonly allowPlain: boolean;
}

export interface PreparedHubs {
  readonly urls: readonly URL[];
  readonly credentials: () => Credentials;
  readonly ca: string | null;
}

const MOST_HUBS = 64;

/** What the settings amount to, or what is wrong with them. */
export function prepareHubs(settings: HubSettings): PreparedHubs | string {
  const { hubs, token, certificate, caFile, allowPlain } = settings;
  if (hubs.length === 0 || hubs.length > MOST_HUBS) return `${hubs.length} hubs are named, expected 1 to ${MOST_HUBS}`;
  if (token === null && certificate === null) return 'neither a token nor a certificate is given; a hub wants one of them';
  const urls: URL[] = [];
  for (const hub of hubs) {
    const url = hubUrl(hub, settings.cluster);
    if (url === null)
      return `${JSON.stringify(hub)} is not the address of a hub, expected wss://HOST:PORT, or ws://HOST:PORT on this machine`;
    if (url.protocol === 'ws:' && !isLoopback(url.hostname) && !allowPlain)
      return `to ${url.origin} the token would travel in the clear; write wss://, or allow it with --allow-plain where nobody else can listen`;
    if (url.protocol === 'ws:' && certificate !== null) return `a certificate proves nothing to ${url.origin} without TLS; write wss://`;
    if (!urls.some(({ href }) => href === url.href)) urls.push(url);
  }
  const credentials = (): Credentials => ({ token: typeof token === 'function' ? token() : token, certificate: read(certificate) });
  try {
    read(certificate);
    return { urls, credentials, ca: caFile === null ? null : readFileSync(caFile, 'utf8') };
  } catch (error) {
    const files = [caFile, certificate?.certFile, certificate?.keyFile].filter((file) => typeof file === 'string');
    return `of ${files.join(', ')} not all can be read: ${error instanceof Error ? error.message : String(error)}; expected PEM files`;
  }
}

function read(files: HubSettings['certificate']): Credentials['certificate'] {
  return files === null ? null : { cert: readFileSync(files.certFile, 'utf8'), key: readFileSync(files.keyFile, 'utf8') };
}

function hubUrl(hub: string, cluster: string): URL | null {
  if (!/^wss?:\/\//.test(hub) || !URL.canParse(hub)) return null;
  const url = new URL(hub);
  // Credentials in an address end up in logs; the token has its own way.
  if (url.username !== '' || url.password !== '') return null;
  url.pathname = url.pathname.replace(/\/$/, '') + AGENT_PATH + encodeURIComponent(cluster);
  url.search = '';
  url.hash = '';
  return url;
}

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  return host === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}
