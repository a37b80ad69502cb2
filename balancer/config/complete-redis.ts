// Redis as the file states it → as it is connected to.
import { isLoopback, parseNetworkPlace } from './addresses.ts';
import type { Completion } from './completion.ts';
import type { SecretReference } from './config.ts';
import { durationMs } from './quantities.ts';
import type { NetworkPlace, RedisConfig, RedisPlaceConfig } from './redis-config.ts';
import type { RedisFile } from './schema-redis.ts';

const PATH = ['state', 'redis'] as const;
const DEFAULT_PORT = 6379;
/** Workers wait a second for the controller, which asks Redis for them. */
const MOST_LIMIT_TIMEOUT_MS = 500;

/** Null: there is none, or what is wrong is reported. */
export function completeRedis(file: RedisFile | undefined, completion: Completion): RedisConfig | null {
  if (file === undefined) return null;
  const place = placeOf(file, completion);
  if (place === null) return null;
  const usesTls = file.url?.startsWith('rediss:') ?? file.tls !== undefined;
  if (file.url !== undefined && !usesTls && file.tls !== undefined)
    completion.report([...PATH, 'tls'], 'a redis:// url is plain; write rediss:// for TLS, or remove tls');
  if (!usesTls && file.password !== undefined && !nodesOf(place).every((node) => isLoopback(node)))
    completion.report([...PATH, 'password'], 'the password would be sent in the clear; write rediss://, or give tls: {}');
  if (durationMs(file.limitTimeout) > MOST_LIMIT_TIMEOUT_MS)
    completion.report(
      [...PATH, 'limitTimeout'],
      `"${file.limitTimeout}" is longer than a request may wait to be counted; expected at most ${MOST_LIMIT_TIMEOUT_MS}ms`,
    );
  return {
    place,
    database: databaseOf(file.url),
    username: file.username ?? null,
    password: secret(file.password, [...PATH, 'password'], completion),
    tls: usesTls
      ? {
          ca: file.tls?.ca === undefined ? null : completion.readableFile([...PATH, 'tls', 'ca'], file.tls.ca),
          serverName: file.tls?.serverName ?? null,
        }
      : null,
    keyFile: completion.readableFile([...PATH, 'keyFile'], file.keyFile),
    fleet: file.fleet,
    timeoutMs: durationMs(file.timeout),
    limitTimeoutMs: durationMs(file.limitTimeout),
  };
}

function placeOf(file: RedisFile, completion: Completion): RedisPlaceConfig | null {
  const { url, sentinel, cluster } = file;
  if ([url, sentinel, cluster].filter((way) => way !== undefined).length !== 1) {
    completion.report(PATH, 'expected exactly one of url, sentinel and cluster, for example url: "rediss://redis.internal:6379"');
    return null;
  }
  if (sentinel !== undefined)
    return {
      kind: 'sentinel',
      name: sentinel.name,
      nodes: placesOf(sentinel.nodes),
      password: secret(sentinel.password, [...PATH, 'sentinel', 'password'], completion),
    };
  if (cluster !== undefined) return { kind: 'cluster', nodes: placesOf(cluster.nodes) };
  const { hostname, port } = new URL(url ?? '');
  return { kind: 'single', node: { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? DEFAULT_PORT : Number(port) } };
}

function nodesOf(place: RedisPlaceConfig): readonly NetworkPlace[] {
  return place.kind === 'single' ? [place.node] : place.nodes;
}

/** Those that are none were found before. */
function placesOf(texts: readonly string[]): readonly NetworkPlace[] {
  return texts.flatMap((text) => parseNetworkPlace(text) ?? []);
}

function databaseOf(url: string | undefined): number {
  return url === undefined ? 0 : Number(new URL(url).pathname.slice(1));
}

function secret(
  file: { readonly file?: string; readonly env?: string } | undefined,
  path: readonly string[],
  completion: Completion,
): SecretReference | null {
  return file === undefined ? null : completion.secret(path, file);
}
