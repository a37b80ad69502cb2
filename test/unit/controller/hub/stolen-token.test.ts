// What somebody can do who has the token of an agent: lower what its own cluster is believed to take, or raise it to a ceiling; and nothing else.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { AGENT_PATH } from '../../../../agent/protocol.ts';
import { withinCeiling } from '../../../../balancer/controller/hub/ceiling.ts';
import { estimate } from '../../../../balancer/steer/capacity.ts';
import type { CapacityReport } from '../../../../balancer/steer/plan-shape.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { handshake, RawAgent } from '../../../support/raw-agent.ts';
import { snapshot } from '../../../support/snapshot.ts';
import { until } from '../../../support/until.ts';

const CEILING_RPS = 3000;
const start = (): Promise<HubBench> => HubBench.start({ ceilingRps: (cluster) => (cluster === 'eu' ? CEILING_RPS : null) });

test('it speaks for no other cluster: not by the path, not by what a report names, not by how the path is written', async () => {
  await using bench = await start();
  for (const path of ['us', 'us/', 'eu/../us', '%75s', 'us%2f', 'US', 'eu%00', '__proto__', 'constructor'])
    assert.doesNotMatch(await handshake(bench.port, AGENT_PATH + path, 'Bearer weir_eu'), /^HTTP\/1\.1 101/, path);
  using agent = await RawAgent.open(bench.port, 'eu', 'weir_eu');
  for (const cluster of ['us', 'eu ', 'EU', '', null, ['eu'], { toString: 'eu' }])
    assert.equal((await agent.say({ ...snapshot(), cluster }))?.reason, 'cluster', JSON.stringify(cluster));
  assert.deepEqual(bench.hub.reports(), {});
});

test('a claim above the ceiling counts as the ceiling, everywhere, and is told once', async () => {
  await using bench = await start();
  using agent = await RawAgent.open(bench.port);
  for (const [index, capacityRps] of [2000, 1e9, 5000, 2500, 4000].entries()) {
    assert.equal((await agent.say(snapshot({ sequence: index + 1, capacityRps })))?.accepted, true);
    const expected = Math.min(capacityRps, CEILING_RPS);
    assert.equal(bench.hub.capacity()['eu'], expected);
    assert.equal(bench.hub.reports()['eu']?.capacityRps, expected);
    assert.equal(bench.agent('eu').dialogue?.heldAtRps, capacityRps > CEILING_RPS ? CEILING_RPS : null);
  }
  assert.deepEqual(
    bench.events.filter((event) => event.includes('claims')),
    [1e9, 4000].map((rps) => `the agent of eu claims ${rps} requests/s; it counts as its ceiling, ${CEILING_RPS}`),
  );
});

describe('what is learned of a report', () => {
  const report = (wish: Partial<CapacityReport>): CapacityReport => ({
    ...{ state: 'fresh', receivedAtMs: 0, capacityRps: null, utilisation: 0.5, requestsPerSecond: 1000, errorsPerSecond: 0 },
    ...wish,
  });

  test('is no more than the ceiling, however little use and however many requests are claimed', () => {
    for (const utilisation of [0.1, 0.2, 0.5, 1, 100])
      for (const requestsPerSecond of [1, 100, 3000, 1e6, 1e9])
        for (const errors of [0, 0.1, 0.9]) {
          const said = report({ utilisation, requestsPerSecond, errorsPerSecond: requestsPerSecond * errors });
          const learned = estimate(withinCeiling(said, CEILING_RPS)) ?? 0;
          assert.ok(learned <= CEILING_RPS * (1 + 1e-9), `${utilisation} ${requestsPerSecond} ${errors}: ${learned}`);
        }
  });

  test('stays as it is below it, and without one', () => {
    assert.equal(estimate(withinCeiling(report({}), CEILING_RPS)), 2000);
    const wild = report({ requestsPerSecond: 1e9 });
    assert.equal(withinCeiling(wild, null), wild);
  });
});

test('with others of its own it fills neither the memory nor the places of the hub', async () => {
  await using bench = await start();
  const sockets = Array.from({ length: 40 }, () => new RawAgent(bench.port, 'eu', 'weir_eu'));
  await until(() => sockets.filter(({ closed }) => closed !== null).length >= 36, 'all but a few are closed');
  using rightful = await RawAgent.open(bench.port, 'us', 'weir_us');
  assert.equal((await rightful.say(snapshot({ cluster: 'us' })))?.accepted, true);
  sockets.forEach(({ socket }) => socket.close());
});

test('a message that is large once it is put together is cut off before it is', async () => {
  await using bench = await start();
  const socket = connect(bench.port, '127.0.0.1');
  socket.on('error', () => undefined);
  const isClosed = (): boolean => socket.destroyed;
  socket.write(
    `GET ${AGENT_PATH}eu HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer weir_eu\r\n\r\n',
  );
  socket.resume();
  // Fragments without an end, 60 KiB each, masked with zeros: the first says that it is text.
  const fragment = (opcode: number): Buffer =>
    Buffer.concat([Buffer.from([opcode, 0xfe, 0xf0, 0x00, 0, 0, 0, 0]), Buffer.alloc(0xf000, 'x')]);
  for (let sent = 0; sent < 50 && !isClosed(); sent += 1) {
    socket.write(fragment(sent === 0 ? 1 : 0));
    await until(() => socket.writableLength === 0 || isClosed(), 'the hub has taken it');
  }
  await until(isClosed, 'the connection is ended');
  assert.equal(bench.count('too_large'), 1);
});
