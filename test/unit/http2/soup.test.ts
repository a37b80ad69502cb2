// Frames in any order, right and wrong, with resets and windows in between: nothing throws, every listener hears one end, and nothing is left behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as frames from '../../../balancer/http2/frame.ts';
import { Setting } from '../../../balancer/http2/frame.ts';
import type { DownstreamExchange } from '../../../balancer/message/exchange.ts';
import type { Random } from '../../../health/clock.ts';
import { startEngine } from '../../support/engine.ts';
import { bytes, rawFrame } from '../../support/frames.ts';
import { connectH2, data, GET, head, POST } from '../../support/h2-client.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { until } from '../../support/until.ts';

const CONNECTIONS = 60;
const FRAMES = 200;

/** Mostly what clients do; now and then what they must not. */
function anyFrame(random: Random, state: { next: number }): Buffer {
  const pick = (count: number): number => Math.floor(random() * count);
  const open = 1 + 2 * pick(Math.max(1, (state.next - 1) / 2));
  const kind = pick(200);
  if (kind < 60) {
    const id = state.next;
    state.next += 2;
    return kind < 30 ? head(id, GET) : head(id, POST, false);
  }
  if (kind < 120) return data(open, 'x'.repeat(pick(3000)), kind < 75);
  if (kind < 150) return bytes(frames.windowUpdateFrame(pick(2) === 0 ? 0 : open, 1 + pick(20_000)));
  if (kind < 165) return bytes(frames.rstStreamFrame(open, 8));
  if (kind < 175) return bytes(frames.settingsFrame([Setting.InitialWindowSize, pick(100_000)]));
  if (kind < 185) return bytes(frames.pingFrame('12345678', pick(2) === 0));
  if (kind < 195) return head(open, ['x-sum', '1']);
  return rawFrame(pick(12), pick(256), pick(4), Buffer.from(Array.from({ length: pick(12) }, () => pick(256))));
}

test('a soup of frames', async (t) => {
  const seed = 7541;
  const random = seededRandom(seed);
  const ends = new Map<DownstreamExchange, number>();
  const count = (exchange: DownstreamExchange): void => void ends.set(exchange, (ends.get(exchange) ?? 0) + 1);
  const engine = await startEngine(t, {
    http2: {},
    onRequest: (exchange) => ends.set(exchange, 0),
    answer: (exchange) => {
      // Answers of every size, at once or later, in pieces, broken off now and then.
      const size = Math.floor(random() * 50_000);
      const { listener } = exchange;
      const failed = listener.onDownstreamFailed.bind(listener);
      let over = false;
      listener.onDownstreamFailed = (code, answerable) => {
        assert.equal(over, false, 'told of a failure after the end');
        over = true;
        count(exchange);
        failed(code, answerable);
      };
      const answer = (): void => {
        if (over) return;
        exchange.sendHead(200, [], size);
        exchange.sendBody(Buffer.alloc(size / 2, 'a'));
        exchange.flush();
        exchange.sendBody(Buffer.alloc(size - Math.floor(size / 2), 'b'));
        over = true;
        count(exchange);
        if (random() < 0.1) exchange.abort();
        else exchange.sendEnd([]);
      };
      if (random() < 0.5) answer();
      else setImmediate(answer);
    },
  });
  for (let i = 0; i < CONNECTIONS; i += 1) {
    const client = await connectH2(t, engine.port, [Setting.InitialWindowSize, Math.floor(random() * 70_000)]);
    const state = { next: 1 };
    const all = Buffer.concat(Array.from({ length: FRAMES }, () => anyFrame(random, state)));
    // Cut anywhere.
    for (let at = 0; at < all.length;) {
      const size = 1 + Math.floor(random() * 9000);
      client.send(all.subarray(at, at + size));
      at += size;
    }
    await client.roundTrip();
    client.socket.destroy();
  }
  await until(() => engine.connections.size === 0, 'all connections are gone');
  assert.ok(ends.size > CONNECTIONS, `${ends.size} requests`);
  const answered = [...ends.values()].filter((times) => times > 1);
  assert.deepEqual(answered, [], `seed ${seed}`);
});
