// The end of a worker: its tunnels leave evenly over the last part of the time, what has not ended by the deadline is cut, and the time can be made shorter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DownstreamConnection } from '../../../balancer/message/connection.ts';
import { Deadlines } from '../../../health/deadlines.ts';
import { Drain } from '../../../balancer/worker/drain.ts';
import { Tunnel } from '../../../balancer/worker/tunnel.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const TUNNELS = 120;

const end = () => ({
  attach: () => undefined,
  write: () => true,
  end: () => undefined,
  destroy: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
});

/** Drains a worker with tunnels, which close when they are told to. */
async function drainOf(deadlineMs: number) {
  const clock = new ManualClock();
  const tunnels = new Set<Tunnel>();
  const leftMs: number[] = [];
  for (let made = 0; made < TUNNELS; made += 1) {
    const joint = { client: end(), upstream: end(), cluster: 'one', upgrade: 'websocket' };
    tunnels.add(new Tunnel(joint, 3_600_000, new Deadlines(clock, 100), (tunnel) => void tunnels.delete(tunnel)));
  }
  const ended: { atMs: number; cut: number }[] = [];
  const what = {
    connections: new Set<DownstreamConnection>(),
    tunnels,
    open: () => tunnels.size,
    closeListeners: () => Promise.resolve(),
    leave: (tunnel: Tunnel) => {
      leftMs.push(clock.nowMs());
      tunnel.close();
    },
  };
  const drain = new Drain(what, clock, deadlineMs, (cut) => void ended.push({ atMs: clock.nowMs(), cut }));
  drain.start();
  await Promise.resolve();
  return { clock, drain, leftMs, ended, tunnels };
}

test('tunnels stay for three quarters of the time, and leave evenly over the last one', async () => {
  const { clock, leftMs, ended } = await drainOf(40_000);
  clock.advance(41_000);
  assert.equal(leftMs.length, TUNNELS);
  assert.ok((leftMs[0] ?? 0) >= 30_000, String(leftMs[0]));
  // 12 a second in the mean, one look more or less.
  for (let second = 30; second < 39; second += 1) {
    const left = leftMs.filter((ms) => ms >= second * 1000 && ms < (second + 1) * 1000).length;
    assert.ok(left >= 8 && left <= 20, `${left} left in second ${second}`);
  }
  assert.deepEqual(
    ended.map(({ cut }) => cut),
    [0],
  );
});

test('a drain that is told to hasten cuts what is there by the new deadline, and never gets more time', async () => {
  const { clock, drain, tunnels, ended } = await drainOf(40_000);
  clock.advance(1000);
  drain.hasten(60_000);
  drain.hasten(0);
  clock.advance(200);
  assert.equal(tunnels.size, 0);
  assert.deepEqual(
    ended.map(({ cut }) => cut),
    [TUNNELS],
  );
  clock.advance(60_000);
  assert.equal(ended.length, 1);
});

/** Drains a worker with one connection that never ends by itself, and whose ports close after `closedAfterMs`. */
async function drainOfOne(deadlineMs: number, closedAfterMs: number) {
  const clock = new ManualClock();
  const connections = new Set<DownstreamConnection>();
  const toldMs: number[] = [];
  const ended: { atMs: number; cut: number }[] = [];
  const one = { drain: () => toldMs.push(clock.nowMs()), destroy: () => connections.clear() };
  connections.add(one as unknown as DownstreamConnection);
  const what = {
    connections,
    tunnels: new Set<Tunnel>(),
    open: () => connections.size,
    closeListeners: () =>
      new Promise<void>((resolve) => {
        clock.after(closedAfterMs, resolve);
      }),
    leave: () => undefined,
  };
  new Drain(what, clock, deadlineMs, (cut) => void ended.push({ atMs: clock.nowMs(), cut })).start();
  await clock.elapse(deadlineMs + 3000);
  return { toldMs, ended };
}

for (const closedAfterMs of [70, 101, 1000])
  test(`a drain without time ends once and says what was cut, with ports that close after ${closedAfterMs} ms`, async () => {
    const { ended } = await drainOfOne(0, closedAfterMs);
    assert.deepEqual(ended, [{ atMs: 100, cut: 1 }]);
  });

test('clients are told a moment after the ports have closed, and in the first quarter of the time in any case', async () => {
  assert.deepEqual((await drainOfOne(10_000, 20)).toldMs, [170]);
  assert.deepEqual((await drainOfOne(10_000, 9000)).toldMs, [2500]);
  assert.deepEqual((await drainOfOne(200, 20)).toldMs, [50]);
});
