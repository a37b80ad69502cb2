// Where the appliance is: --server, --context, WEIR_SERVER, WEIR_CONTEXT, the context of now, the socket of the default state directory.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { chosenContext, type Context, contextFile, type ContextSettings, ONLY_CONTEXT, readContexts } from './contexts.ts';
import { CommandFailure, EXIT } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type Address =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: URL; readonly token: string | null; readonly caFile: string | null };

export interface FoundServer {
  readonly address: Address;
  /** Where we learnt it, for messages: `--server`, `WEIR_SERVER`, a file, `the default state directory`. */
  readonly source: string;
  /** Null: no context says where it is. */
  readonly context: ContextSettings | null;
}

/** What was typed of where it is. */
export interface ServerOptions {
  readonly server: string | null;
  readonly context: string | null;
}

/** The admin socket of the default state directory. */
export const DEFAULT_SOCKET = '/var/lib/weir/admin.sock';

/** Finds the server. Reads the context file and token files only when they matter. */
export async function findServer({ server, context }: ServerOptions, env: Environment): Promise<FoundServer> {
  if (server !== null && context !== null) throw usage('--server and --context both say where the appliance is; say one of the two');
  if (server !== null) return { address: parseAddress(server, '--server', env), source: '--server', context: null };
  if (context !== null) return ofContext(chosenContext(await readContexts(env), context), env);
  const fromEnv = env['WEIR_SERVER'] ?? '';
  if (fromEnv !== '') return { address: parseAddress(fromEnv, 'WEIR_SERVER', env), source: 'WEIR_SERVER', context: null };
  const named = env['WEIR_CONTEXT'] ?? '';
  return ofContext(chosenContext(await readContexts(env), named === '' ? null : named), env);
}

function ofContext(context: Context | null, env: Environment): FoundServer {
  if (context === null) return { address: { kind: 'socket', path: DEFAULT_SOCKET }, source: 'the default state directory', context: null };
  const file = contextFile(env);
  const { name, color, readOnly, confirm } = context;
  const source = name === ONLY_CONTEXT ? file : `context ${name}`;
  return { address: addressOf(context, file, env), source, context: { name, color, readOnly, confirm } };
}

function addressOf(context: Context, file: string, env: Environment): Address {
  const near = (path: string): string => resolve(dirname(file), path);
  const address = parseAddress(context.server, `${file}: server`, {});
  if (address.kind === 'socket') return address;
  return {
    kind: 'url',
    url: address.url,
    token: tokenOf(address.url, env, context.tokenFile === null ? null : near(context.tokenFile)),
    caFile: context.ca === null ? null : near(context.ca),
  };
}

/** Throws a usage failure for what is no address. `env`: where a token may be. */
export function parseAddress(text: string, what: string, env: Environment): Address {
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
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usage(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, message);
}
