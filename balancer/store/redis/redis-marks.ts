// Marks of ended sessions in Redis: signed, in the order of coming, bounded in number, and gone when they mean nothing any more.
import { randomUUID } from 'node:crypto';
import type { MarksPlace, MarksRead, SharedMarks, StoredMark } from '../session-ends.ts';
import type { Seal } from '../seal.ts';
import type { RedisConnection } from './connection.ts';
import type { Script } from './scripts.ts';

/** As many as a host remembers. */
const MOST = 100_000;
const MOST_AT_ONCE = 500;

/**
 * Keys: marks by their number, marks by their end, head. Arguments: what the numbers begin with if they begin now, most that are kept, the time in milliseconds, then
 * end and text of each.
 */
const ADD: Script = {
  keys: 3,
  lua: `
if not redis.call('HGET', KEYS[3], 'since') then redis.call('HSET', KEYS[3], 'since', ARGV[1]) end
local number = 0
for at = 4, #ARGV, 2 do
  number = redis.call('HINCRBY', KEYS[3], 'number', 1)
  redis.call('ZADD', KEYS[1], number, ARGV[at + 1])
  redis.call('ZADD', KEYS[2], ARGV[at], ARGV[at + 1])
end
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3], 'LIMIT', 0, 100)
local over = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', number - tonumber(ARGV[2]), 'LIMIT', 0, 100)
for _, old in ipairs({ended, over}) do
  for _, text in ipairs(old) do
    redis.call('ZREM', KEYS[1], text)
    redis.call('ZREM', KEYS[2], text)
  end
end
return number`,
};

/** Keys: marks by their number, head. Arguments: what the numbers began with as the host knows it, the last number that it has, most to answer with. */
const AFTER: Script = {
  keys: 2,
  lua: `
local since = redis.call('HGET', KEYS[2], 'since') or ''
local from = since == ARGV[1] and ARGV[2] or '0'
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[3]))
return {since, from, found}`,
};

export class RedisMarks implements SharedMarks {
  readonly #connection: RedisConnection;
  readonly #seal: Seal;
  readonly #wallMs: () => number;
  readonly #keys: readonly [marks: string, ends: string, head: string];

  constructor(connection: RedisConnection, fleet: string, seal: Seal, wallMs: () => number) {
    this.#connection = connection;
    this.#seal = seal;
    this.#wallMs = wallMs;
    const key = (name: string): string => `weir:{${fleet}}:${name}`;
    this.#keys = [key('marks'), key('marks-ends'), key('marks-head')];
  }

  async add(marks: readonly StoredMark[]): Promise<void> {
    for (let at = 0; at < marks.length; at += MOST_AT_ONCE) {
      const texts = marks.slice(at, at + MOST_AT_ONCE).flatMap((mark) => [mark.untilMs, this.#seal.close('mark', '', textOf(mark))]);
      await this.#connection.run(ADD, this.#keys, [randomUUID(), MOST, this.#wallMs(), ...texts]);
    }
  }

  async after(place: MarksPlace | null): Promise<MarksRead> {
    const [marks, , head] = this.#keys;
    const asked = [place?.since ?? '', place?.number ?? 0, MOST_AT_ONCE];
    const answer = await this.#connection.run(AFTER, [marks, head], asked);
    const [since, from, found] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
    const all = Array.isArray(found) ? found.map(String) : [];
    const read: StoredMark[] = [];
    for (let at = 0; at < all.length; at += 2) {
      const text = this.#seal.open('mark', '', all[at] ?? '');
      const mark = text === null ? null : markOf(text);
      if (mark !== null) read.push(mark);
    }
    const number = Number(all.at(-1) ?? from);
    return { place: { since: String(since), number }, marks: read, isAll: all.length < MOST_AT_ONCE * 2 };
  }

  close(): void {
    this.#connection.close();
  }
}

const textOf = ({ key, atMs, untilMs }: StoredMark): string => `${key} ${atMs} ${untilMs}`;

/** Null: it is none. */
function markOf(text: string): StoredMark | null {
  const [key = '', at, until] = text.split(' ');
  const [atMs, untilMs] = [Number(at), Number(until)];
  return key !== '' && Number.isFinite(atMs) && Number.isFinite(untilMs) ? { key, atMs, untilMs } : null;
}
