// Limits of a fleet, counted by Redis by its own clock, each in one step.
import type { Limit, LimitCounter, Taken } from '../limits.ts';
import type { RedisConnection } from './connection.ts';
import type { Script } from './scripts.ts';

/**
 * Key: when the last permit that was given would be due, in microseconds. Arguments: microseconds from one permit to the next, burst, permits wanted. Answers
 * with those given, and the milliseconds until there is one again.
 */
const TAKE: Script = {
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local room = math.max(0, math.floor((now + burst * each - due) / each + 0.000001))
local granted = math.min(wanted, room)
if granted == 0 then return {0, math.ceil((due + each - burst * each - now) / 1000)} end
due = due + granted * each
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.max(1, math.ceil((due - now) / 1000)))
return {granted, 0}`,
};

export class RedisLimits implements LimitCounter {
  readonly #connection: RedisConnection;
  readonly #fleet: string;

  constructor(connection: RedisConnection, fleet: string) {
    this.#connection = connection;
    this.#fleet = fleet;
  }

  async take({ key, permits, periodMs, burst }: Limit, wanted: number): Promise<Pick<Taken, 'granted' | 'retryMs'>> {
    // Each in a slot of its own: a Redis Cluster spreads them.
    const answer = await this.#connection.run(TAKE, [`weir:limit:{${this.#fleet}/${key}}`], [(periodMs * 1000) / permits, burst, wanted]);
    const [granted = 0, retryMs = 0] = Array.isArray(answer) ? answer.map(Number) : [];
    return { granted, retryMs };
  }
}
