// What may be used once by all hosts of a fleet together, in Redis: one key for each use, which is gone when it means nothing any more.
import type { SharedUses } from '../one-time-uses.ts';
import type { RedisConnection } from './connection.ts';
import type { Script } from './scripts.ts';

/** Key: of the use. Argument: milliseconds. Answers 1 for the first, 0 for all others. */
const USE: Script = {
  keys: 1,
  lua: `return redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) and 1 or 0`,
};

export class RedisUses implements SharedUses {
  readonly #connection: RedisConnection;
  readonly #fleet: string;

  constructor(connection: RedisConnection, fleet: string) {
    this.#connection = connection;
    this.#fleet = fleet;
  }

  /** Each has a slot of its own, so that a Redis Cluster spreads them. */
  async use(key: string, keepMs: number): Promise<boolean> {
    return Number(await this.#connection.run(USE, [`weir:once:{${this.#fleet}/${key}}`], [Math.max(1, Math.ceil(keepMs))])) === 1;
  }

  close(): void {
    this.#connection.close();
  }
}
