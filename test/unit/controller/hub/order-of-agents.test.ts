// Several agents of one cluster, and connections that repeat what was said: which reports count, over real sockets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SUBPROTOCOLS } from '../../../../agent/dialogue.ts';
import { AGENT_PATH, HUB_CLOSE } from '../../../../agent/protocol.ts';
import { orderProblem } from '../../../../balancer/controller/hub/report-order.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { handshake, RawAgent } from '../../../support/raw-agent.ts';
import { snapshot } from '../../../support/snapshot.ts';
import { until } from '../../../support/until.ts';

const EPOCH = snapshot().epoch ?? 0;
const older = snapshot({ bootId: 'an-older-agent', epoch: EPOCH, capacityRps: 500 });
const newer = snapshot({ bootId: 'a-newer-agent', epoch: EPOCH + 1, capacityRps: 900 });

describe('two agents', () => {
  test('the one that began later counts, whichever connects first, and the other is told', async () => {
    await using bench = await HubBench.start();
    using first = await RawAgent.open(bench.port);
    await first.say(older);
    using second = await RawAgent.open(bench.port);
    assert.equal((await second.say(newer))?.accepted, true);
    await until(() => first.closed !== null, 'the older one is closed');
    assert.equal(first.closed?.code, HUB_CLOSE.replaced);
    using again = await RawAgent.open(bench.port);
    assert.deepEqual((await again.say({ ...older, sequence: 99 }))?.reason, 'epoch');
    await until(() => again.closed !== null, 'and closed again');
    assert.equal(again.closed?.code, HUB_CLOSE.superseded);
    assert.deepEqual([bench.hub.capacity(), second.closed], [{ eu: 900 }, null]);
  });

  test('a connection alone takes nothing from the agent that speaks', async () => {
    await using bench = await HubBench.start();
    using speaking = await RawAgent.open(bench.port);
    await speaking.say(newer);
    const silent = await Promise.all([1, 2, 3, 4, 5].map(() => RawAgent.open(bench.port)));
    assert.equal((await speaking.say({ ...newer, sequence: 2 }))?.accepted, true);
    await until(() => silent.filter(({ closed }) => closed !== null).length === 1, 'the oldest of too many that wait is closed');
    silent.forEach((one) => one.socket.close());
  });

  test('the epoch of an agent that has gone binds nobody: a clock that was set back does not keep a cluster silent', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start({ clock });
    using gone = await RawAgent.open(bench.port);
    await gone.say(newer);
    gone.socket.close();
    await until(() => gone.closed !== null, 'it is gone');
    using back = await RawAgent.open(bench.port);
    assert.equal((await back.say(older))?.reason, 'epoch', 'while what it said is fresh');
    assert.equal(back.closed, null, 'and it may try again');
    clock.advance(3000);
    assert.equal((await back.say({ ...older, sequence: 2 }))?.accepted, true);
  });

  test('what the holder of a revoked token said about order binds nobody', async () => {
    await using bench = await HubBench.start();
    using thief = await RawAgent.open(bench.port, 'eu', 'weir_eu');
    await thief.say(snapshot({ bootId: 'of-the-thief', epoch: 253_402_300_799_999 }));
    bench.tokens.delete('weir_eu');
    await until(() => thief.closed !== null, 'the thief is put out');
    using rightful = await RawAgent.open(bench.port, 'eu', 'weir_any');
    assert.equal((await rightful.say(older))?.accepted, true);
  });
});

describe('what was said before', () => {
  test('is refused on its own connection, and with everything it held on another one', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    const recorded = [1, 2, 3].map((sequence) => JSON.stringify({ ...newer, sequence, session: agent.hello?.session }));
    for (const text of recorded) assert.equal((await agent.say(text))?.accepted, true);
    for (const text of recorded) assert.equal((await agent.say(text))?.reason, 'sequence');
    agent.socket.close();
    using other = await RawAgent.open(bench.port);
    for (const text of recorded) assert.equal((await other.say(text))?.reason, 'session');
    assert.notEqual(other.hello?.session, agent.hello?.session);
    assert.equal(other.hello?.hub, agent.hello?.hub, 'the hub is the same one');
  });

  test('is refused out of order', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    const outcomes: unknown[] = [];
    for (const sequence of [5, 4, 6, 6, 2, 7]) outcomes.push((await agent.say({ ...newer, sequence }))?.accepted);
    assert.deepEqual(outcomes, [true, false, true, false, false, true]);
  });

  test('by one boot is bound to rise in number and not to fall in epoch', () => {
    const said = { bootId: 'one', sequence: 5, epoch: 10 };
    const after = (change: object, isAlive = true): unknown => orderProblem({ ...said, ...change }, { said, isAlive });
    assert.equal(after({ sequence: 6 }), null);
    assert.equal(after({ sequence: 6, epoch: 11 }), null, 'it leads again');
    assert.equal(after({ sequence: 6, epoch: 9 }), 'sequence');
    assert.equal(after({ sequence: 5, epoch: 11 }), 'sequence');
    assert.equal(after({ sequence: 5 }, false), 'sequence', 'whether it is still there or not');
    assert.equal(after({ bootId: 'two', epoch: 10 }), 'epoch', 'of two that began in one millisecond the first');
    assert.equal(after({ bootId: 'two', epoch: 11 }), null);
  });
});

describe('protocols', () => {
  test('the newest that both ends know is spoken, and none in common is told', async () => {
    await using bench = await HubBench.start();
    const head = (offer: string | null): Promise<string> => handshake(bench.port, `${AGENT_PATH}eu`, 'Bearer weir_eu', offer);
    assert.match(await head(`${SUBPROTOCOLS[1]}, ${SUBPROTOCOLS[2]}`), /^HTTP\/1\.1 101 [^]*sec-websocket-protocol: weir\.agent\.v2/i);
    assert.match(await head(SUBPROTOCOLS[1]), /^HTTP\/1\.1 101 [^]*sec-websocket-protocol: weir\.agent\.v1/i);
    assert.match(await head(`weir.agent.v3,${SUBPROTOCOLS[2]}`), /^HTTP\/1\.1 101 [^]*sec-websocket-protocol: weir\.agent\.v2/i);
    assert.doesNotMatch(await head(null), /sec-websocket-protocol/i);
    assert.match(await head('weir.agent.v3'), /^HTTP\/1\.1 426 /);
    assert.equal(bench.count('no_protocol'), 1);
  });

  test('an agent of the protocol before this one is taken as it was, and gives way to one that is newer', async () => {
    await using bench = await HubBench.start();
    const old = snapshot({ protocol: 1, bootId: 'of-last-year' });
    using one = await RawAgent.open(bench.port, 'eu', 'weir_eu', 1);
    assert.deepEqual(await one.say(old), { protocol: 1, sequence: 1, accepted: true, reason: '' });
    assert.deepEqual([one.hello, one.wishes], [null, []]);
    using two = await RawAgent.open(bench.port);
    assert.equal((await two.say(newer))?.accepted, true);
    await until(() => one.closed !== null, 'the old one is closed');
    using back = await RawAgent.open(bench.port, 'eu', 'weir_eu', 1);
    assert.equal((await back.say({ ...old, sequence: 2 }))?.reason, 'epoch');
    assert.equal(two.closed, null);
  });
});
