// The hub over real sockets: who gets in, what counts, what ends a connection, and that no bytes bring it down.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DIALOGUE_LIMITS } from '../../../../agent/dialogue.ts';
import { AGENT_PATH, HUB_CLOSE } from '../../../../agent/protocol.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { handshake, RawAgent } from '../../../support/raw-agent.ts';
import { snapshot } from '../../../support/snapshot.ts';
import { until } from '../../../support/until.ts';

describe('who gets in', () => {
  test('a token is checked before the upgrade: 401 without a good one, 403 for another cluster, 404 for one that is not', async () => {
    await using bench = await HubBench.start();
    const table: readonly (readonly [string, string | null, string, string])[] = [
      ['eu', null, '401', 'no_token'],
      ['eu', 'Basic d2VpcjpldQ==', '401', 'no_token'],
      ['eu', 'Bearer', '401', 'no_token'],
      ['eu', 'Bearer weir_unknown', '401', 'wrong_token'],
      ['us', 'Bearer weir_eu', '403', 'wrong_cluster'],
      ['moon', 'Bearer weir_any', '404', 'unknown_cluster'],
      ['eu', 'Bearer weir_eu', '101', ''],
      ['us', 'bearer weir_any', '101', ''],
    ];
    for (const [cluster, authorization, status, reason] of table) {
      const before = bench.count(reason);
      assert.match(
        await handshake(bench.port, AGENT_PATH + cluster, authorization),
        new RegExp(`^HTTP/1\\.1 ${status} `),
        `${cluster} ${String(authorization)}`,
      );
      if (reason !== '') assert.equal(bench.count(reason), before + 1, reason);
    }
  });

  test('compression is not agreed to: a few bytes must not become many', async () => {
    await using bench = await HubBench.start();
    const head = await handshake(bench.port, `${AGENT_PATH}eu`, 'Bearer weir_eu');
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(head, /permessage-deflate/i);
  });

  test('other paths, and the path without an upgrade, are not there', async () => {
    await using bench = await HubBench.start();
    assert.match(await handshake(bench.port, '/', 'Bearer weir_any'), /^HTTP\/1\.1 404 /);
    const response = await fetch(`http://127.0.0.1:${bench.port}${AGENT_PATH}eu`, { headers: { authorization: 'Bearer weir_eu' } });
    assert.equal(response.status, 404);
    await response.text();
  });

  test('a token that is taken back, and a cluster that leaves the config, end the connection', async () => {
    await using bench = await HubBench.start();
    using revoked = await RawAgent.open(bench.port, 'eu', 'weir_eu');
    using gone = await RawAgent.open(bench.port, 'us', 'weir_us');
    await gone.say(snapshot({ cluster: 'us' }));
    bench.tokens.delete('weir_eu');
    bench.clusters.delete('us');
    await until(() => revoked.closed !== null && gone.closed !== null, 'both are closed');
    assert.equal(revoked.closed?.code, HUB_CLOSE.notWanted);
    assert.equal(gone.closed?.code, HUB_CLOSE.notWanted);
    assert.deepEqual(
      bench.hub.agents().map(({ cluster }) => cluster),
      ['eu'],
    );
    assert.deepEqual(bench.hub.capacity(), {});
  });

  test('among agents of the protocol before this one the newest connection of a cluster wins', async () => {
    await using bench = await HubBench.start();
    const old = { protocol: 1 } as const;
    using first = await RawAgent.open(bench.port, 'eu', 'weir_eu', 1);
    assert.equal((await first.say(snapshot({ ...old, sequence: 50 })))?.accepted, true);
    using second = await RawAgent.open(bench.port, 'eu', 'weir_eu', 1);
    await until(() => first.closed !== null, 'the first one is closed');
    assert.equal(first.closed?.code, HUB_CLOSE.replaced);
    assert.equal((await second.say(snapshot({ ...old, bootId: 'another-boot', capacityRps: 700 })))?.accepted, true);
    assert.deepEqual(bench.hub.capacity(), { eu: 700 });
    // The end of the first connection must not have made the hub forget the second.
    using third = await RawAgent.open(bench.port, 'eu', 'weir_eu', 1);
    await until(() => second.closed !== null, 'the second one is closed');
    assert.deepEqual([second.closed?.code, third.closed], [HUB_CLOSE.replaced, null]);
  });
});

describe('what counts', () => {
  test('a refused message changes nothing and is answered with its reason', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    assert.deepEqual(await agent.say(snapshot()), { protocol: 2, sequence: 1, accepted: true, reason: '' });
    const before = { ...bench.agent('eu'), ageMs: 0 };
    const refused: readonly (readonly [unknown, string])[] = [
      [snapshot({ sequence: 2, cpuUtilisation: -1 }), 'number'],
      [snapshot({ sequence: 1, capacityRps: 1 }), 'sequence'],
      [snapshot({ sequence: 3, cluster: 'us' }), 'cluster'],
      [JSON.stringify({ ...snapshot({ sequence: 4 }), session: agent.hello?.session }).replace('1200', '1e999'), 'number'],
      ['not json', 'not_json'],
      [new Uint8Array([1, 2, 3]), 'not_text'],
    ];
    for (const [message, reason] of refused) {
      const reply = await agent.say(message);
      assert.deepEqual([reply?.accepted, reply?.reason], [false, reason]);
      assert.deepEqual({ ...bench.agent('eu'), ageMs: 0 }, before);
    }
    assert.deepEqual([bench.count('eu accepted'), bench.count('eu rejected'), bench.count('number')], [1, 6, 2]);
    assert.equal((await agent.say(snapshot({ sequence: 2 })))?.accepted, true, 'a refused number is not used up');
  });

  test('more messages than the rate end the connection', async () => {
    // Time stands still, so a burst is all that passes.
    await using bench = await HubBench.start({ clock: new ManualClock() });
    using agent = await RawAgent.open(bench.port);
    for (let sequence = 1; sequence <= 60; sequence += 1) agent.tell(snapshot({ sequence }));
    await until(() => agent.closed !== null, 'the connection is closed');
    assert.equal(agent.closed?.code, HUB_CLOSE.tooFast);
    assert.deepEqual([bench.count('eu accepted'), bench.count('too_fast')], [20, 1]);
  });

  test('a message beyond the limit ends the connection', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    agent.socket.send('x'.repeat(DIALOGUE_LIMITS.messageBytes + 1));
    await until(() => agent.closed !== null, 'the connection is closed');
    assert.equal(bench.count('too_large'), 1);
  });

  test('a state that moves with time is told once, and a lost agent keeps its capacity while it is stale', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start({ clock });
    using agent = await RawAgent.open(bench.port);
    await agent.say(snapshot({ periodMs: 1000 }));
    agent.socket.close();
    clock.advance(3500);
    assert.equal(bench.agent('eu').state, 'stale');
    assert.deepEqual(bench.hub.capacity(), { eu: 1200 });
    clock.advance(180_000);
    assert.equal(bench.agent('eu').state, 'absent');
    assert.deepEqual(bench.hub.capacity(), {});
    const states = ['fresh', 'stale', 'absent'].map((state) => `the agent of eu is ${state}`);
    assert.deepEqual(
      bench.events.filter((event) => event.startsWith('the agent')),
      states,
    );
  });

  test('a peer that answers no ping is cut off', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start({ clock });
    // Raw bytes: a WebSocket client would answer the pings by itself.
    const socket = connect(bench.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const fields =
      'Host: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
    socket.write(`GET ${AGENT_PATH}eu HTTP/1.1\r\n${fields}\r\nAuthorization: Bearer weir_eu\r\n\r\n`);
    const [head] = (await once(socket, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1\.1 101 /);
    const closed = once(socket, 'close');
    clock.advance(20_000);
    assert.equal(socket.destroyed, false);
    clock.advance(10_000);
    await closed;
  });
});

test('no bytes bring the hub down, before or after the upgrade', async () => {
  await using bench = await HubBench.start();
  const upgrade = Buffer.from(
    `GET ${AGENT_PATH}eu HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer weir_eu\r\n\r\n',
  );
  // A text frame of a client with the mask 0, so that the bytes after it are the message.
  const frame = (text: string): Buffer =>
    Buffer.concat([Buffer.from([0x81, 0x80 | Math.min(125, text.length), 0, 0, 0, 0]), Buffer.from(text.slice(0, 125), 'latin1')]);
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  const sequence = fc.oneof(
    bytes,
    bytes.map((tail) => Buffer.concat([upgrade, tail])),
    fc.string({ maxLength: 125 }).map((text) => Buffer.concat([upgrade, frame(text)])),
    fc.nat({ max: upgrade.length }).map((length) => upgrade.subarray(0, length)),
    fc
      .tuple(fc.nat({ max: upgrade.length - 1 }), fc.nat({ max: 255 }))
      .map(([at, value]) => Buffer.concat([upgrade.subarray(0, at), Buffer.from([value]), upgrade.subarray(at + 1)])),
  );
  await fc.assert(
    fc.asyncProperty(sequence, async (sent) => {
      const socket = connect(bench.port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.resume();
      const closed = once(socket, 'close');
      socket.end(sent, () => setImmediate(() => socket.destroy()));
      await closed;
    }),
    { numRuns: 150, seed: 17 },
  );
  using agent = await RawAgent.open(bench.port);
  assert.equal((await agent.say(snapshot({ bootId: 'after-the-storm' })))?.accepted, true);
});
