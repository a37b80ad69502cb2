// The connections to Redis: one for commands, one for hints. What cannot be asked now is told at once; a client that hangs is made anew.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Ioredis from 'ioredis';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import type { Clock } from '../../../health/clock.ts';
import { LedgerAwayError } from '../ledger.ts';
import type { Script } from './scripts.ts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is. */
export type RedisPlace =
  | { readonly kind: 'single'; readonly node: RedisNode }
  | { readonly kind: 'sentinel'; readonly name: string; readonly nodes: readonly RedisNode[]; readonly password: string | null }
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisNode[] };

export interface RedisAccess {
  readonly place: RedisPlace;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** Null: no TLS. `ca`: PEM; null: the authorities of the system. */
  readonly tls: { readonly ca: string | null; readonly serverName: string | null } | null;
  /** Of one command. */
  readonly timeoutMs: number;
  /** To connect, and to learn of Sentinels or of a Redis Cluster where to. */
  readonly connectMs: number;
}

type Client = Redis | Cluster;

/** Loaded for the first connection: a host that stands alone needs none of it to start. */
const loadClient = (): typeof Ioredis => createRequire(import.meta.url)('ioredis') as typeof Ioredis;

/** Longest pause between two attempts to connect. */
const MAX_RECONNECT_MS = 1000;
/** A client that has answered nothing for so long, although it was asked, is made anew: some never come back by themselves. */
const REBUILD_MS = 5000;

export class RedisConnection {
  readonly #access: RedisAccess;
  readonly #clock: Clock;
  #client: Client;
  #closed = false;
  /** When it answered last, or was made. */
  #aliveMs: number;
  #problem: string | null = 'not connected yet';
  readonly #watches = new Map<Client, () => void>();

  constructor(access: RedisAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
    this.#aliveMs = clock.nowMs();
    this.#client = this.#connect();
  }

  /** Why it cannot be asked; null: it answered the last time. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Throws `LedgerAwayError`. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const hash = hashOf(script);
    return this.#ask(async (client) => {
      try {
        return await client.evalsha(hash, script.keys, ...keys, ...args);
      } catch (error) {
        // A Redis that was restarted, or failed over, does not know it yet.
        if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return client.eval(script.lua, script.keys, ...keys, ...args);
        throw error;
      }
    });
  }

  get(key: string): Promise<string | null> {
    return this.#ask((client) => client.get(key));
  }

  /** Null for those that are not there. */
  fields(key: string, names: readonly string[]): Promise<readonly (string | null)[]> {
    return this.#ask((client) => client.hmget(key, ...names));
  }

  /**
   * Calls back with each message of the channel, and once whenever the subscription is made anew: what came meanwhile is not told. Also when the
   * connection breaks: whoever asks then knows at once that Redis is away, and not with the next question.
   */
  watch(channel: string, onHint: () => void): () => void {
    const client = this.#connect();
    let connected = false;
    client.on('message', onHint);
    client.on('ready', () => {
      connected = true;
      void client.subscribe(channel).then(onHint, () => undefined);
    });
    const onClose = (): void => {
      // Attempts that fail close too.
      if (connected) onHint();
      connected = false;
    };
    client.on('close', onClose);
    const end = (): void => {
      client.off('close', onClose);
      this.#watches.delete(client);
      client.disconnect();
    };
    this.#watches.set(client, end);
    return end;
  }

  close(): void {
    this.#closed = true;
    for (const end of [...this.#watches.values()]) end();
    this.#client.disconnect();
  }

  async #ask<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client;
    let wasReady = false;
    try {
      await this.#ready(client);
      wasReady = true;
      const answer = await ask(client);
      this.#aliveMs = this.#clock.nowMs();
      this.#problem = null;
      return answer;
    } catch (error) {
      const said = saidBy(error);
      const refused = isRefusal(said);
      if (refused) this.#aliveMs = this.#clock.nowMs();
      this.#problem = said;
      this.#rebuildIfHung(client);
      throw new LedgerAwayError(`Redis ${refused ? 'refuses' : 'does not answer'}: ${said}`, wasReady && !refused, { cause: error });
    }
  }

  /** A connection that is being made is waited for, no longer than for an answer. */
  async #ready(client: Client): Promise<void> {
    if (client.status === 'ready') return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = this.#clock.after(this.#access.timeoutMs, () => reject(new Error(this.#problem ?? 'not connected')));
    const onReady = (): void => resolve(undefined);
    client.once('ready', onReady);
    try {
      await promise;
    } finally {
      timer.cancel();
      client.off('ready', onReady);
    }
  }

  #rebuildIfHung(client: Client): void {
    if (this.#closed || client !== this.#client || this.#clock.nowMs() - this.#aliveMs < REBUILD_MS) return;
    this.#client = this.#connect();
    this.#aliveMs = this.#clock.nowMs();
    client.disconnect();
  }

  #connect(): Client {
    const client = clientOf(this.#access);
    // Every question that waits for the connection listens.
    client.setMaxListeners(0);
    // Without a listener they would go to the console.
    client.on('error', (error: Error) => {
      if (client === this.#client) this.#problem = saidBy(error);
    });
    return client;
  }
}

function clientOf({ place, username, password, database, tls, timeoutMs, connectMs }: RedisAccess): Client {
  const common = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null
      ? {}
      : { tls: { ...(tls.ca === null ? {} : { ca: tls.ca }), ...(tls.serverName === null ? {} : { servername: tls.serverName }) } }),
    connectTimeout: connectMs,
    commandTimeout: timeoutMs,
    // A peer that vanished without a word is noticed by what is asked of it each second.
    socketTimeout: REBUILD_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // Would ask for INFO, which the least rights do not have; a Redis that is still loading says so to every command.
    enableReadyCheck: false,
    disableClientInfo: true,
    autoResubscribe: false,
    retryStrategy: backOff,
  } satisfies RedisOptions;
  const ioredis = loadClient();
  switch (place.kind) {
    case 'single':
      return new ioredis.Redis({ ...common, ...place.node, db: database });
    case 'sentinel':
      return new ioredis.Redis({
        ...common,
        db: database,
        name: place.name,
        sentinels: [...place.nodes],
        ...(place.password === null ? {} : { sentinelPassword: place.password }),
        ...(tls === null ? {} : { enableTLSForSentinelMode: true, sentinelTLS: common.tls ?? {} }),
        sentinelRetryStrategy: backOff,
        sentinelCommandTimeout: connectMs,
      });
    case 'cluster': {
      const options = {
        redisOptions: common,
        enableOfflineQueue: false,
        enableReadyCheck: false,
        clusterRetryStrategy: backOff,
        slotsRefreshTimeout: connectMs,
        ...(tls === null
          ? {}
          : { dnsLookup: (address: string, callback: (error: null, address: string) => void) => callback(null, address) }),
      } satisfies ClusterOptions;
      return new ioredis.Cluster([...place.nodes], options);
    }
  }
}

const hashes = new WeakMap<Script, string>();

/** By which Redis knows a script. */
function hashOf(script: Script): string {
  const known = hashes.get(script);
  if (known !== undefined) return known;
  const hash = createHash('sha1').update(script.lua).digest('hex');
  hashes.set(script, hash);
  return hash;
}

function backOff(attempt: number): number {
  return Math.min(MAX_RECONNECT_MS, 50 * 2 ** Math.min(attempt, 10));
}

/** Of a Redis Cluster also what the node said that was asked last. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { lastNodeError } = error as { readonly lastNodeError?: unknown };
  return lastNodeError instanceof Error ? `${error.message} ${lastNodeError.message}` : error.message;
}

/** Redis has answered, with an error of its own: nothing was done. */
function isRefusal(said: string): boolean {
  return /^(?:NOAUTH|NOPERM|WRONGPASS|LOADING|READONLY|MISCONF|OOM|NOREPLICAS|MASTERDOWN|BUSY|CLUSTERDOWN|ERR) /.test(said);
}
