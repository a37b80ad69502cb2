// One agent and many edge hosts: by list and by name, each told the same, once; and a hub that is old, silent or lies.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { DIALOGUE_LIMITS, SUBPROTOCOLS } from '../../../agent/dialogue.ts';
import { decodeHubMessage } from '../../../agent/hub-messages.ts';
import type { CapacitySnapshot } from '../../../agent/protocol.ts';
import { silentLog } from '../../../balancer/log.ts';
import { HubBench } from '../../support/hub-bench.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

/** A hub that also keeps what it took. */
async function keepingHub(host = '127.0.0.1', port = 0): Promise<HubBench & { readonly taken: CapacitySnapshot[] }> {
  const taken: CapacitySnapshot[] = [];
  const bench = await HubBench.start({ bind: { host, port }, host: `edge-${host}`, onSnapshot: (snapshot) => taken.push(snapshot) });
  return Object.assign(bench, { taken });
}

const essence = ({ sequence, bootId, epoch, sentAtMs }: CapacitySnapshot): string => JSON.stringify({ sequence, bootId, epoch, sentAtMs });

describe('many hubs', () => {
  test('that are listed get the same reports, and one that is away holds up none', async () => {
    await using one = await keepingHub();
    await using two = await keepingHub();
    one.run({ hubs: [`ws://127.0.0.1:${one.port}`, `ws://127.0.0.1:${two.port}`, 'ws://127.0.0.1:1'] });
    await until(() => one.taken.length > 5 && two.taken.length > 5, 'both have reports');
    const [ofOne, ofTwo] = [one.taken.map(essence), two.taken.map(essence)];
    const common = ofOne.filter((report) => ofTwo.includes(report));
    assert.ok(common.length >= 4, `${common.length} in common`);
    await two[Symbol.asyncDispose]();
    const before = one.taken.length;
    await until(() => one.taken.length > before + 3, 'the other one goes on to get them');
  });

  test('of a name with several addresses each gets reports, also one that is added, and one that is taken out is told until it goes', async () => {
    const clock = new ManualClock();
    await using one = await keepingHub('127.0.0.1');
    await using two = await keepingHub('127.0.0.2', one.port);
    let addresses = ['127.0.0.1'];
    const asked: string[] = [];
    const resolve = (host: string): Promise<readonly string[]> => {
      asked.push(host);
      return Promise.resolve(addresses);
    };
    one.run({ hubs: [`ws://localhost.edges.test:${one.port}`], allowPlain: true }, { clock, resolve });
    await until(() => asked.length === 1, 'the name is looked up');
    addresses = ['127.0.0.1', '127.0.0.2'];
    const pass = async (isDone: () => boolean, what: string): Promise<void> => until(async () => (await clock.elapse(100), isDone()), what);
    await pass(() => one.taken.length > 2 && two.taken.length > 2, 'both have reports');
    assert.deepEqual(new Set(asked), new Set(['localhost.edges.test']));
    addresses = ['127.0.0.1'];
    const before = two.taken.length;
    await clock.elapse(60_000);
    await pass(() => two.taken.length > before + 3, 'the one that was taken out is still told');
  });

  test('a hub that is reached by two addresses is reported to by one, and by the other when that is gone', async () => {
    const clock = new ManualClock();
    await using bench = await keepingHub('0.0.0.0');
    const lines: string[] = [];
    const log = { ...silentLog, info: (_fields: Readonly<Record<string, unknown>>, message: string) => lines.push(message) };
    const resolve = (): Promise<readonly string[]> => Promise.resolve(['127.0.0.1', '127.0.0.2']);
    bench.run({ hubs: [`ws://both.edges.test:${bench.port}`], allowPlain: true }, { clock, resolve, log });
    const pass = async (isDone: () => boolean, what: string): Promise<void> => until(async () => (await clock.elapse(100), isDone()), what);
    await pass(() => lines.includes('one way to a hub is enough'), 'the second way rests');
    await pass(() => bench.taken.length > 5, 'reports');
    const sequences = bench.taken.map(({ sequence }) => sequence);
    assert.deepEqual(sequences, [...new Set(sequences)]);
    assert.equal(lines.filter((line) => line === 'connected to the hub').length, 1);
    bench.tokens.delete('weir_eu');
    await pass(() => bench.count('wrong_token') > 0, 'both ways are refused');
    bench.tokens.set('weir_eu', { cluster: 'eu' });
    const { length } = bench.taken;
    await pass(() => bench.taken.length > length, 'and come back');
  });
});

/** A hub of the test's own making. */
async function strangeHub(
  onConnection: (socket: WebSocket) => void,
  options: ServerOptions = {},
): Promise<{ url: string; close: () => void }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  const close = (): void => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

describe('a strange hub', () => {
  test('that knows nothing of protocols is spoken to as the one before this was', async () => {
    const said: Record<string, unknown>[] = [];
    // As ws does by itself, and a hub of protocol 1 did: the first that is offered.
    const hub = await strangeHub((socket) => {
      socket.on('message', (data: Buffer) => {
        const report = JSON.parse(data.toString()) as Record<string, unknown>;
        said.push(report);
        socket.send(JSON.stringify({ protocol: 1, sequence: report['sequence'], accepted: true, reason: '' }));
      });
    });
    await using bench = new HubBench();
    bench.run({ hubs: [hub.url] });
    await until(() => said.length > 2, 'reports');
    assert.deepEqual([said[0]?.['protocol'], said[0]?.['session'], said[0]?.['wishes']], [1, undefined, undefined]);
    hub.close();
  });

  test('that sends more than it may, compressed or not, is left', async () => {
    for (const perMessageDeflate of [false, true]) {
      let ended = 0;
      const onConnection = (socket: WebSocket): void => {
        socket.on('close', () => (ended += 1));
        // Compressed these are a few kilobytes.
        socket.send('x'.repeat(DIALOGUE_LIMITS.messageBytes + 1), { compress: perMessageDeflate });
      };
      const hub = await strangeHub(onConnection, { handleProtocols: () => SUBPROTOCOLS[2], perMessageDeflate });
      await using bench = new HubBench();
      bench.run({ hubs: [hub.url] });
      await until(() => ended > 0, 'the agent has left', 10_000);
      hub.close();
    }
  });

  test('that does not greet is left, and asked again', async () => {
    const clock = new ManualClock();
    let connections = 0;
    const hub = await strangeHub(() => (connections += 1), { handleProtocols: () => SUBPROTOCOLS[2] });
    await using bench = new HubBench();
    bench.run({ hubs: [hub.url] }, { clock });
    await until(() => connections === 1, 'a connection');
    await until(async () => (await clock.elapse(1000), connections === 2), 'another one');
    hub.close();
  });

  test('whose messages are none changes nothing', () => {
    const hello = { kind: 'hello', session: 'session-1', hub: 'the-hub-1', host: 'edge-1' };
    assert.deepEqual(decodeHubMessage(JSON.stringify({ ...hello, more: 1 })), hello);
    const wish = { kind: 'prescale', id: 'one', service: 'shop', rps: 5, inMs: 0, endsInMs: 1000 };
    const wishes = { kind: 'wishes', number: 1, wishes: [wish, { kind: 'drain', id: 'drain', endsInMs: null }] };
    assert.deepEqual(decodeHubMessage(JSON.stringify(wishes)), wishes);
    assert.deepEqual(decodeHubMessage(JSON.stringify({ ...wishes, wishes: [{ kind: 'of-later', id: 1 }, wish] })), {
      ...wishes,
      wishes: [wish],
    });
    const wrong: readonly unknown[] = [
      { ...hello, session: 'short' },
      { ...hello, host: 'line\nbreak' },
      { ...hello, hub: 7 },
      { ...wishes, number: -1 },
      { ...wishes, wishes: Array.from({ length: DIALOGUE_LIMITS.wishes + 1 }, () => wish) },
      { ...wishes, wishes: [null] },
      ...[{ rps: -1 }, { rps: '5' }, { rps: 1e10 }, { inMs: null }, { endsInMs: 1e12 }, { service: 'a b' }, { id: '' }].map((change) => ({
        ...wishes,
        wishes: [{ ...wish, ...change }],
      })),
      { kind: 'command', run: 'rm' },
    ];
    for (const message of wrong) assert.equal(decodeHubMessage(JSON.stringify(message)), null, JSON.stringify(message));
  });
});
