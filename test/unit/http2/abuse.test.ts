// A client that asks too much is bounded: its connection ends, memory stays flat, and who sits beside it waits no longer.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AbuseBudget } from '../../../balancer/http2/abuse-budget.ts';
import * as frames from '../../../balancer/http2/frame.ts';
import { Flag, FrameType, Http2Error, Setting } from '../../../balancer/http2/frame.ts';
import { HeldBytes } from '../../../balancer/http2/held-bytes.ts';
import { answerWith, startEngine, type EngineOptions } from '../../support/engine.ts';
import { hex, rawFrame } from '../../support/frames.ts';
import { block, connectH2, data, GET, head, POST, type H2Client } from '../../support/h2-client.ts';
import { until } from '../../support/until.ts';

/** What a burst may add to the memory of a process that it does not burden: garbage not collected yet. */
const FLAT_BYTES = 64 * 1024 * 1024;
/** Of a request beside an attack; the attack itself is handled in far less. */
const PATIENCE_MS = 2000;

const times = (count: number, make: (i: number) => Buffer | string): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) => {
      const part = make(i);
      return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    }),
  );

/** Runs `attack` with an honest client beside it; returns the attacker. */
async function attacked(
  t: TestContext,
  options: EngineOptions,
  attack: (client: H2Client) => Promise<void>,
): Promise<{
  attacker: H2Client;
  abuses: readonly string[];
}> {
  const engine = await startEngine(t, { http2: {}, ...options });
  const honest = await connectH2(t, engine.port);
  const attacker = await connectH2(t, engine.port);
  await attacker.roundTrip();
  const before = process.memoryUsage().rss;
  const startedMs = performance.now();
  const attacking = attack(attacker);
  honest.send(head(1, [':method', 'GET', ':scheme', 'http', ':path', '/honest', ':authority', 'a']));
  await honest.untilAnswered(1);
  assert.ok(performance.now() - startedMs < PATIENCE_MS, `an honest client waited ${performance.now() - startedMs} ms`);
  await attacking;
  assert.ok(process.memoryUsage().rss - before < FLAT_BYTES, `memory grew by ${process.memoryUsage().rss - before}`);
  return { attacker, abuses: engine.abuses };
}

const floods: readonly { readonly what: string; readonly reason: string; readonly flood: () => Buffer }[] = [
  { what: 'PINGs', reason: 'pings', flood: () => times(5000, () => frames.pingFrame('12345678', false)) },
  { what: 'SETTINGS', reason: 'settings', flood: () => times(500, (i) => frames.settingsFrame([Setting.InitialWindowSize, 65_535 + i])) },
  {
    what: 'DATA without data',
    reason: 'empty_data',
    flood: () => Buffer.concat([head(1, POST, false), times(1000, () => data(1, '', false))]),
  },
  {
    what: 'DATA of padding only',
    reason: 'empty_data',
    flood: () => Buffer.concat([head(1, POST, false), times(1000, () => rawFrame(FrameType.Data, Flag.Padded, 1, hex('02 0000')))]),
  },
  {
    what: 'PRIORITY',
    reason: 'ignored_frames',
    flood: () => times(5000, (i) => rawFrame(FrameType.Priority, 0, i * 2 + 1, hex('00000000 10'))),
  },
  {
    what: 'PRIORITY_UPDATE',
    reason: 'ignored_frames',
    flood: () => times(5000, () => rawFrame(FrameType.PriorityUpdate, 0, 0, hex('00000001 75'))),
  },
  { what: 'frames nobody knows', reason: 'ignored_frames', flood: () => times(5000, () => rawFrame(0x42, 0, 0, '')) },
  { what: 'WINDOW_UPDATEs', reason: 'window_updates', flood: () => times(5000, () => frames.windowUpdateFrame(0, 1)) },
  {
    what: 'streams that are reset at once (CVE-2023-44487)',
    reason: 'resets',
    flood: () => times(2000, (i) => Buffer.concat([head(i * 2 + 1, GET), Buffer.from(frames.rstStreamFrame(i * 2 + 1, 8), 'latin1')])),
  },
  {
    what: 'streams that make us reset them (CVE-2025-8671)',
    reason: 'resets',
    flood: () => times(2000, (i) => Buffer.concat([head(i * 2 + 1, GET), Buffer.from(frames.windowUpdateFrame(i * 2 + 1, 0), 'latin1')])),
  },
  { what: 'malformed requests', reason: 'resets', flood: () => times(2000, (i) => head(i * 2 + 1, [...GET, 'X', 'y'])) },
  {
    what: 'heads too large to answer otherwise',
    reason: 'large_heads',
    flood: () => times(500, (i) => head(i * 2 + 1, [...GET, 'x', 'y'.repeat(33_000)])),
  },
  {
    what: 'streams beyond the number allowed',
    reason: 'refused_streams',
    flood: () => times(2000, (i) => head(i * 2 + 1, POST, false)),
  },
  {
    what: 'CONTINUATIONs without end (CVE-2024-27316 family)',
    reason: 'header_block',
    flood: () =>
      Buffer.concat([
        rawFrame(FrameType.Headers, Flag.EndStream, 1, block(GET)),
        times(1000, () => rawFrame(FrameType.Continuation, 0, 1, '')),
      ]),
  },
  {
    what: 'a header block without end',
    reason: 'header_block',
    flood: () =>
      Buffer.concat([
        rawFrame(FrameType.Headers, Flag.EndStream, 1, block(GET)),
        times(9, () => rawFrame(FrameType.Continuation, 0, 1, 'x'.repeat(16_000))),
      ]),
  },
];

describe('an HTTP/2 client that asks too much', () => {
  for (const { what, reason, flood } of floods)
    it(`is let go for ${what}`, async (t) => {
      // Nothing is answered: each stream stays open until it is reset.
      const answer = reason === 'resets' || reason === 'refused_streams' ? { answer: honestly } : {};
      // Made before memory is looked at: what the attacker needs is not what it costs the engine.
      const burst = flood();
      const { attacker, abuses } = await attacked(t, answer, async (client) => {
        client.send(burst);
        assert.equal(await client.untilClosed(), Http2Error.EnhanceYourCalm);
      });
      assert.deepEqual(abuses, [reason]);
      assert.ok(attacker.responses.size <= 510);
    });

  it('may do each of these for as long as it does not overdo it', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port);
    client.send(
      times(500, () => frames.pingFrame('12345678', false)),
      times(500, () => rawFrame(FrameType.Priority, 0, 1, hex('00000000 10'))),
      times(500, () => frames.windowUpdateFrame(0, 1)),
      times(50, () => frames.settingsFrame([])),
    );
    client.send(head(1, GET));
    await client.untilAnswered(1);
    assert.deepEqual(engine.abuses, []);
  });

  it('gets tokens back with time, and no more than the burst', () => {
    const budget = new AbuseBudget(2);
    const taken = (nowMs: number): number => {
      let count = 0;
      while (budget.take('resets', nowMs)) count += 1;
      return count;
    };
    assert.equal(taken(0), 20);
    assert.equal(taken(1000), 1);
    assert.equal(taken(1_000_000), 20);
  });

  it('cannot fill the memory with a header block of references to one long entry', async (t) => {
    const { attacker } = await attacked(t, {}, async (client) => {
      const own = 'y'.repeat(3900);
      const bomb = Buffer.concat([
        Buffer.from(block(GET), 'latin1'),
        hex('40 01 78 7f bd 1d'),
        Buffer.from(own),
        Buffer.alloc(11_000, 0xbe),
      ]);
      for (let i = 0; i < 20; i += 1) client.send(rawFrame(FrameType.Headers, Flag.EndStream | Flag.EndHeaders, i * 2 + 1, bomb));
      await client.untilAnswered(39);
    });
    assert.equal(attacker.status(39), '431');
  });

  it('cannot make us send frame after tiny frame', async (t) => {
    const { abuses } = await attacked(t, { answer: (exchange) => answerWith(exchange, 200, 'x'.repeat(5000)) }, async (client) => {
      client.send(
        frames.settingsFrame([Setting.InitialWindowSize, 1]),
        head(1, GET),
        times(1000, () => frames.windowUpdateFrame(1, 1)),
      );
      // One update a read: each is a frame of one byte.
      for (let i = 0; i < 500 && !client.closed; i += 1) {
        client.send(frames.windowUpdateFrame(1, 1));
        await client.roundTrip();
      }
      assert.equal(await client.untilClosed(), Http2Error.EnhanceYourCalm);
    });
    assert.deepEqual(abuses, ['tiny_windows']);
  });

  it('that reads nothing is not read from, and holds no more than a bound', async (t) => {
    const engine = await startEngine(t, {
      http2: {},
      timeouts: { writeMs: 500 },
      answer: (exchange) => answerWith(exchange, 200, 'x'.repeat(60_000)),
    });
    const client = await connectH2(t, engine.port, [Setting.InitialWindowSize, frames.MAX_WINDOW]);
    await client.roundTrip();
    client.send(frames.windowUpdateFrame(0, 1_000_000_000));
    client.socket.pause();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100; i += 1) client.send(head(i * 2 + 1, GET));
    await until(() => engine.connections.size === 0, 'the connection is closed');
    assert.deepEqual(engine.abuses, ['slow_reader']);
    assert.ok(process.memoryUsage().rss - before < FLAT_BYTES);
  });

  it('pays for tiny pieces of a body nobody takes with no more than their bytes', () => {
    const held = new HeldBytes();
    const read = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 65_536; i += 1) held.append(read.subarray(i, i + 1));
    assert.equal(held.length, 65_536);
    const taken = held.take();
    assert.ok(taken.equals(read));
    assert.ok(taken.buffer.byteLength <= 131_072);
    assert.equal(held.length, 0);
  });
});

/** Answers the honest client only. */
function honestly(...[exchange, { path }]: Parameters<NonNullable<EngineOptions['answer']>>): void {
  if (path === '/honest') answerWith(exchange, 200, '');
}
