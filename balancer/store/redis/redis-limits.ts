// Limits of a fleet, counted by Redis by its own clock, each question in one step.
import { createHash } from 'node:crypto';
import { windowAt } from '../../config/limit-window.ts';
import { wantedOf, type Charge, type Wanted } from '../../config/limit-config.ts';
import type { CountedLimit, LimitCounter, TakenOfFleet } from '../limits.ts';
import type { RedisConnection } from './connection.ts';
import type { Script } from './scripts.ts';

/**
 * Key: number of the window, counts of it and of the one before. Arguments: limit, milliseconds of a window, 1 if the window before counts by what of it is still
 * within reach, requests wanted, the least of them that is of use, then what was used beyond what was taken (below 0: what goes back, of a window that is not over)
 * and how many milliseconds ago it was taken. Answers with those given, those left, milliseconds until there is more, and until the window ends.
 */
const TAKE_OF_WINDOW: Script = {
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window, slides, wanted, least = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5])
local charge, age = tonumber(ARGV[6]), tonumber(ARGV[7])
local kept = redis.call('HMGET', KEYS[1], 'window', 'current', 'before')
local index, at = math.floor(now / window), tonumber(kept[1] or '-1')
local current, before = tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
-- The clock of a replica that took over may be behind.
if at > index then index, now = at, at * window end
if at ~= index then
  before = at == index - 1 and current or 0
  current = 0
end
if charge > 0 or math.floor((now - age) / window) == index then current = math.max(0, current + charge) end
local passed = now - index * window
local weighed = slides and before * (window - passed) / window or 0
local free = math.max(0, math.floor(limit - weighed - current))
local granted = free >= least and math.min(wanted, free) or 0
local reset = window - passed
if granted > 0 or charge ~= 0 then
  current = current + granted
  redis.call('HSET', KEYS[1], 'window', string.format('%.0f', index), 'current', string.format('%.0f', current), 'before', before)
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', 2 * window))
end
local left = free - granted
if left == 0 and slides and before > 0 then
  reset = math.max(1, math.min(reset, math.ceil(window * (1 - (limit - current - 1) / before) - passed)))
end
return {granted, left, reset, window - passed}`,
};

/**
 * Key: start of the window of a quota, and its count. Arguments: limit, requests wanted, the least of them, a charge and its age as above, starts of windows in their order: those around the present one by the
 * clock of the host, among which the present one is by that of Redis. Kept for a week longer than the window.
 */
const TAKE_OF_CALENDAR: Script = {
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, wanted, least, charge, age = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = redis.call('HMGET', KEYS[1], 'window', 'current')
local at, current = tonumber(kept[1] or '-1'), tonumber(kept[2] or '0')
-- The clock of a replica that took over may be behind.
if at > now then now = at end
local start, ends
for i = 6, #ARGV - 1 do
  if tonumber(ARGV[i]) <= now and now < tonumber(ARGV[i + 1]) then start, ends = tonumber(ARGV[i]), tonumber(ARGV[i + 1]) end
end
if not start then return redis.error_reply('ERR the clock of this host is more than a window away from that of Redis') end
if at ~= start then current = 0 end
if charge > 0 or now - age >= start then current = math.max(0, current + charge) end
local free = math.max(0, limit - current)
local granted = free >= least and math.min(wanted, free) or 0
if granted > 0 or charge ~= 0 then
  redis.call('HSET', KEYS[1], 'window', string.format('%.0f', start), 'current', string.format('%.0f', current + granted))
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends + 604800000))
end
return {granted, free - granted, ends - now, ends - now}`,
};

/**
 * Key: when the bucket is full again, in microseconds. Arguments: microseconds from one request to the next, burst, requests wanted, the least of them, a charge. Answers with those given,
 * those left and milliseconds until there is more.
 */
const TAKE_OF_BUCKET: Script = {
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, burst, wanted, least, charge = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local full = math.max(now, math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0')) + charge * each)
local free = math.max(0, math.floor((now + burst * each - full) / each + 0.000001))
local granted = free >= least and math.min(wanted, free) or 0
full = full + granted * each
if granted > 0 or charge ~= 0 then redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.max(1, math.ceil((full - now) / 1000))) end
local left = free - granted
local missing = granted == 0 and math.max(1, least) or 1
local reset = left >= missing and full - now or full + missing * each - burst * each - now
return {granted, left, math.max(1, math.ceil(reset / 1000))}`,
};

const NOTHING: Wanted = { most: 0, least: 0 };
const NO_CHARGE: Charge = { count: 0, ageMs: 0 };

export class RedisLimits implements LimitCounter {
  readonly #connection: RedisConnection;
  readonly #fleet: string;
  readonly #wallMs: () => number;

  constructor(connection: RedisConnection, fleet: string, wallMs: () => number) {
    this.#connection = connection;
    this.#fleet = fleet;
    this.#wallMs = wallMs;
  }

  take(limit: CountedLimit, key: string, wanted: number | Wanted): Promise<TakenOfFleet> {
    return this.#ask(limit, key, wantedOf(wanted), NO_CHARGE);
  }

  async charge(limit: CountedLimit, key: string, charge: Charge): Promise<void> {
    await this.#ask(limit, key, NOTHING, charge);
  }

  async #ask(limit: CountedLimit, key: string, wanted: Wanted, charge: Charge): Promise<TakenOfFleet> {
    const { algorithm, limit: most, windowMs, burst, calendar } = limit;
    const keys = [this.#keyOf(limit, key)];
    const asked = [wanted.most, wanted.least, charge.count];
    if (calendar !== null) {
      const wallMs = this.#wallMs();
      const starts = [-1, 0, 1, 2].map((offset) => windowAt(calendar, wallMs, offset).startMs);
      const [granted, remaining, resetMs, validMs] = numbersOf(
        await this.#connection.run(TAKE_OF_CALENDAR, keys, [most, ...asked, charge.ageMs, ...starts]),
      );
      return { granted, remaining, resetMs, validMs };
    }
    if (algorithm === 'token') {
      const [granted, remaining, resetMs] = numbersOf(
        await this.#connection.run(TAKE_OF_BUCKET, keys, [(windowMs * 1000) / most, burst, ...asked]),
      );
      return { granted, remaining, resetMs, validMs: windowMs };
    }
    const args = [most, windowMs, algorithm === 'sliding' ? 1 : 0, ...asked, charge.ageMs];
    const [granted, remaining, resetMs, validMs] = numbersOf(await this.#connection.run(TAKE_OF_WINDOW, keys, args));
    return { granted, remaining, resetMs, validMs };
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * Each counter has a slot of its own, so that a Redis Cluster spreads them. Who is counted stands there as a hash: a value may be long, and is nobody's business. A
   * limit that counts otherwise than before begins anew.
   */
  #keyOf({ name, algorithm, windowMs, calendar }: CountedLimit, key: string): string {
    const whose = createHash('sha256').update(key).digest('base64url').slice(0, 22);
    return `weir:limit:{${this.#fleet}/${name}/${algorithm}/${calendar ?? windowMs}/${whose}}`;
  }
}

function numbersOf(answer: unknown): readonly [number, number, number, number] {
  const [first = 0, second = 0, third = 0, fourth = 0] = Array.isArray(answer) ? answer.map(Number) : [];
  return [first, second, third, fourth];
}
