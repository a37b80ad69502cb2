// Where the appliance is: --server, WEIR_SERVER, the context file, the socket of the default state directory, in this order.
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { CommandFailure, EXIT } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type Address =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL; readonly token: string | null; readonly caFile: string | null };

export interface FoundServer {
  readonly address: Address;
  /** Where we learnt it, for messages: `--server`, `WEIR_SERVER`, a file, `the default state directory`. */
  readonly source: string;
}

/** The admin socket of the default state directory. */
export const DEFAULT_SOCKET = '/var/lib/weir/admin.sock';

/** Finds the server. Reads the context file and token files only when they matter. */
export async function findServer(option: string | null, env: Environment): Promise<FoundServer> {
  if (option !== null) return { address: parseAddress(option, '--server', env), source: '--server' };
  const fromEnv = env['WEIR_SERVER'] ?? '';
  if (fromEnv !== '') return { address: parseAddress(fromEnv, 'WEIR_SERVER', env), source: 'WEIR_SERVER' };
  const file = contextFile(env);
  if (existsSync(file)) return { address: await readContext(file, env), source: file };
  return { address: { kind: 'socket', path: DEFAULT_SOCKET }, source: 'the default state directory' };
}

/** `$XDG_CONFIG_HOME/weir/config.yaml`; relative values of the variable do not count (XDG Base Directory Specification). */
export function contextFile(env: Environment): string {
  const base = env['XDG_CONFIG_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(env['HOME'] ?? homedir(), '.config'), 'weir', 'config.yaml');
}

function parseAddress(text: string, what: string, env: Environment): Address {
  const socket = /^unix:(?:\/\/)?(.+)$/.exec(text)?.[1];
  if (socket !== undefined) return { kind: 'socket', path: resolve(socket) };
  const url = parseUrl(text, what);
  return { kind: 'url', url, token: tokenOf(url, env, null), caFile: null };
}

function parseUrl(text: string, what: string): URL {
  const url = /^https?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null) {
    const hint = text.startsWith('/') ? `; did you mean unix:${text}?` : '';
    throw usage(`${what}: expected unix:PATH, https://HOST:PORT or http://HOST:PORT, got ${JSON.stringify(text)}${hint}`);
  }
  if (url.username !== '' || url.password !== '') throw usage(`${what}: no user or password in the URL; a token goes into WEIR_TOKEN_FILE`);
  return url;
}

/** WEIR_TOKEN, then WEIR_TOKEN_FILE, then the file that the context names. A token never goes out in clear beyond this host. */
function tokenOf(url: URL, env: Environment, contextTokenFile: string | null): string | null {
  const file = env['WEIR_TOKEN_FILE'] ?? '';
  const direct = env['WEIR_TOKEN'] ?? '';
  const token = direct !== '' ? direct : file !== '' ? readToken(file, 'WEIR_TOKEN_FILE') : null;
  const found = token ?? (contextTokenFile === null ? null : readToken(contextTokenFile, 'tokenFile'));
  if (found !== null && url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    throw usage(`${url.href} would carry the token in clear: use https://, or the unix socket on the host itself`);
  }
  return found;
}

function readToken(file: string, what: string): string {
  return readText(file, what).trim();
}

async function readContext(file: string, env: Environment): Promise<Address> {
  const { parse } = await import('yaml');
  const text = readText(file, 'context file');
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw usage(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const context = decodeContext(value, file);
  const near = (path: string): string => resolve(dirname(file), path);
  const address = parseAddressWithoutToken(context.server, `${file}: server`);
  if (address.kind === 'socket') return address;
  const tokenFile = context.tokenFile === undefined ? null : near(context.tokenFile);
  return {
    kind: 'url',
    url: address.url,
    token: tokenOf(address.url, env, tokenFile),
    caFile: context.ca === undefined ? null : near(context.ca),
  };
}

function parseAddressWithoutToken(text: string, what: string): Address {
  return parseAddress(text, what, {});
}

interface Context {
  readonly server: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

const CONTEXT_KEYS = ['server', 'tokenFile', 'ca'] as const;

function decodeContext(value: unknown, file: string): Context {
  if (typeof value !== 'object' || value === null) throw usage(`${file}: expected the keys ${CONTEXT_KEYS.join(', ')}`);
  const entries = new Map<string, string>();
  for (const [key, entry] of Object.entries(value)) {
    if (!CONTEXT_KEYS.some((known) => known === key))
      throw usage(`${file}: unknown key ${JSON.stringify(key)}, expected ${CONTEXT_KEYS.join(', ')}`);
    if (typeof entry !== 'string') throw usage(`${file}: ${key}: expected text, got ${JSON.stringify(entry)}`);
    entries.set(key, entry);
  }
  const server = entries.get('server');
  if (server === undefined) throw usage(`${file}: server is missing, e.g. server: https://edge-1:7070`);
  const tokenFile = entries.get('tokenFile');
  const ca = entries.get('ca');
  return { server, ...(tokenFile === undefined ? {} : { tokenFile }), ...(ca === undefined ? {} : { ca }) };
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
