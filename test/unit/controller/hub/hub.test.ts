// The hub over real sockets, with the real agent: who gets in, what counts, what ends a connection, and that no bytes bring it down.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { WebSocket } from 'undici';
import { decodeReply } from '../../../../agent/uplink.ts';
import { AGENT_PATH, HUB_CLOSE, type HubReply } from '../../../../agent/protocol.ts';
import { silentLog } from '../../../../balancer/log.ts';
import { makeCertificate } from '../../../support/certificates.ts';
import { HubBench } from '../../../support/hub-bench.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { snapshot } from '../../../support/snapshot.ts';
import { until } from '../../../support/until.ts';

/** What the hub answers to a handshake of one's own making, as far as the end of the head. */
async function handshake(port: number, path: string, authorization: string | null): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const fields = [
    'Host: hub',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  if (authorization !== null) fields.push(`Authorization: ${authorization}`);
  socket.write(`GET ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\r\n\r\n')) break;
  }
  socket.destroy();
  return text.split('\r\n', 1)[0] ?? '';
}

/** A client that says what the test wants. */
class RawAgent implements Disposable {
  readonly socket: WebSocket;
  readonly replies: HubReply[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(port: number, cluster = 'eu', token = 'weir_any') {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${AGENT_PATH}${cluster}`, { headers: { authorization: `Bearer ${token}` } });
    this.socket.addEventListener('message', ({ data }) => {
      const reply = decodeReply(String(data));
      assert.notEqual(reply, null);
      if (reply !== null) this.replies.push(reply);
    });
    this.socket.addEventListener('error', () => undefined);
    this.socket.addEventListener('close', ({ code, reason }) => (this.closed = { code, reason }));
  }

  static async open(port: number, cluster = 'eu', token = 'weir_any'): Promise<RawAgent> {
    const agent = new RawAgent(port, cluster, token);
    await until(() => agent.socket.readyState === WebSocket.OPEN, 'the connection is open');
    return agent;
  }

  /** Sends and waits for the answer. */
  async say(message: unknown): Promise<HubReply | undefined> {
    const before = this.replies.length;
    this.socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message));
    await until(() => this.replies.length > before || this.closed !== null, 'an answer');
    return this.replies[before];
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

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

  test('the newest connection of a cluster wins', async () => {
    await using bench = await HubBench.start();
    using old = await RawAgent.open(bench.port);
    await old.say(snapshot({ sequence: 50 }));
    using young = await RawAgent.open(bench.port);
    await until(() => old.closed !== null, 'the old one is closed');
    assert.equal(old.closed?.code, HUB_CLOSE.replaced);
    assert.equal((await young.say(snapshot({ bootId: 'another-boot', capacityRps: 700 })))?.accepted, true);
    assert.deepEqual(bench.hub.capacity(), { eu: 700 });
  });
});

describe('what counts', () => {
  test('a refused message changes nothing and is answered with its reason', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    assert.deepEqual(await agent.say(snapshot()), { protocol: 1, sequence: 1, accepted: true, reason: '' });
    const before = { ...bench.agent('eu'), ageMs: 0 };
    const refused: readonly (readonly [unknown, string])[] = [
      [snapshot({ sequence: 2, cpuUtilisation: -1 }), 'number'],
      [snapshot({ sequence: 1, capacityRps: 1 }), 'sequence'],
      [snapshot({ sequence: 3, cluster: 'us' }), 'cluster'],
      [JSON.stringify(snapshot({ sequence: 4 })).replace('1200', '1e999'), 'number'],
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
    for (let sequence = 1; sequence <= 60; sequence += 1) agent.socket.send(JSON.stringify(snapshot({ sequence })));
    await until(() => agent.closed !== null, 'the connection is closed');
    assert.equal(agent.closed?.code, HUB_CLOSE.tooFast);
    assert.deepEqual([bench.count('eu accepted'), bench.count('too_fast')], [20, 1]);
  });

  test('a message beyond the limit ends the connection', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    agent.socket.send('x'.repeat(64 * 1024 + 1));
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

describe('the agent', () => {
  test('reports at once and every period, and its figures are seen', async () => {
    await using bench = await HubBench.start();
    const agent = bench.run();
    await until(() => bench.count('eu accepted') >= 4, 'four reports');
    const { ageMs, agentVersion, ...view } = bench.agent('eu');
    assert.deepEqual(view, { cluster: 'eu', state: 'fresh', capacityRps: 1200, cpuUtilisation: 0.25, memoryUtilisation: 0.5 });
    assert.ok((ageMs ?? Infinity) < 300);
    assert.match(agentVersion ?? '', /^\d+\.\d+\.\d+/);
    assert.deepEqual(bench.hub.capacity(), { eu: 1200 });
    assert.equal(await agent.stop(), 0);
    assert.deepEqual(bench.events, ['the agent of eu is fresh', 'eu numbers']);
  });

  test('comes back by itself when the hub was gone', async () => {
    const first = await HubBench.start();
    const { port } = first;
    await using later = new HubBench({ bind: { host: '127.0.0.1', port } });
    later.port = port;
    later.run();
    await until(() => first.count('eu accepted') > 0, 'the first hub has reports');
    await first[Symbol.asyncDispose]();
    await later.hub.start();
    await until(() => later.count('eu accepted') > 0, 'the second hub has reports');
  });

  test('says in its log why it is refused, and goes on trying', async () => {
    const lines: string[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => lines.push(String(fields['reason'])) };
    await using bench = await HubBench.start();
    bench.tokens.delete('weir_eu');
    bench.run({}, { log });
    await until(() => lines.length > 0, 'a refusal');
    assert.match(lines[0] ?? '', /does not know the token \(401\)/);
    bench.tokens.set('weir_eu', { cluster: 'eu' });
    await until(() => bench.agent('eu').state === 'fresh', 'the agent is fresh');
  });

  test('gives up a hub that takes reports and never answers', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start();
    let attempts = 0;
    const reasons: string[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => reasons.push(String(fields['reason'])) };
    // Between agent and hub: lets the first connection through until the hub is to fall silent.
    let silent = false;
    const between = createServer((agentSide) => {
      attempts += 1;
      const hubSide = connect(bench.port, '127.0.0.1');
      agentSide.on('data', (chunk) => silent || hubSide.write(chunk));
      hubSide.on('data', (chunk) => silent || agentSide.write(chunk));
      for (const [one, other] of [
        [agentSide, hubSide],
        [hubSide, agentSide],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    });
    between.listen(0, '127.0.0.1');
    await once(between, 'listening');
    bench.run({ hub: `ws://127.0.0.1:${(between.address() as AddressInfo).port}`, periodMs: 1000 }, { log, clock });
    await until(() => bench.count('eu accepted') === 1, 'the first report');
    silent = true;
    await clock.elapse(11_000);
    assert.deepEqual(reasons, ['the hub is silent']);
    silent = false;
    await clock.elapse(1000);
    await until(() => bench.count('eu accepted') > 1, 'reports over a new connection');
    assert.equal(attempts, 2);
    between.close();
  });

  test('cannot start with an address, a period, a capacity or an authority that is none, and says so', async () => {
    const bench = new HubBench();
    const problems: string[] = [];
    const log = { ...silentLog, error: (_fields: Readonly<Record<string, unknown>>, message: string) => problems.push(message) };
    const wrong = [
      { hub: 'http://127.0.0.1:1' },
      { hub: 'edge' },
      { hub: 'ws://name:secret@127.0.0.1:1' },
      { periodMs: 5 },
      { capacityRps: -1 },
      { capacityRps: NaN },
      { caFile: '/nowhere/ca.crt' },
    ];
    for (const settings of wrong)
      assert.equal(await bench.run({ hub: 'ws://127.0.0.1:1', ...settings }, { log }).stop(), 1, JSON.stringify(settings));
    assert.equal(problems.length, wrong.length);
    assert.match(problems.at(-1) ?? '', /\/nowhere\/ca\.crt cannot be read/);
  });
});

describe('TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-hub-'));
  const authority = makeCertificate(directory, { names: ['authority.test'] });
  const { cert, key } = makeCertificate(directory, { names: ['127.0.0.1', 'localhost'], ca: authority });
  test.after(() => rmSync(directory, { recursive: true }));
  const tls = { certificates: [{ cert, key }], minVersion: 'TLSv1.2' } as const;

  test('an agent that trusts the authority reports over wss', async () => {
    await using bench = await HubBench.start({ tls });
    for (const host of ['127.0.0.1', 'localhost']) {
      const before = bench.count('eu accepted');
      const agent = bench.run({ hub: `wss://${host}:${bench.port}`, caFile: authority.cert });
      await until(() => bench.count('eu accepted') > before, `a report over ${host}`);
      await agent.stop();
    }
  });

  test('an agent that does not know the authority sends no token', async () => {
    await using bench = await HubBench.start({ tls });
    const reasons: string[] = [];
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => reasons.push(String(fields['reason'])) };
    bench.run({ hub: `wss://127.0.0.1:${bench.port}` }, { log });
    await until(() => reasons.length > 0, 'a failure');
    assert.match(reasons[0] ?? '', /certificate|issuer/);
    assert.deepEqual(bench.counts, {});
  });

  test('a renewed certificate is used for new connections, and the open one stays', async () => {
    const clock = new ManualClock();
    await using bench = await HubBench.start({ tls, clock });
    bench.run({ hub: `wss://127.0.0.1:${bench.port}`, caFile: authority.cert });
    await until(() => bench.count('eu accepted') > 0, 'a report');
    const newAuthority = makeCertificate(directory, { names: ['new-authority.test'] });
    const renewed = makeCertificate(directory, { names: ['127.0.0.1', 'localhost'], ca: newAuthority, file: 'renewed' });
    copyFileSync(renewed.cert, cert);
    copyFileSync(renewed.key, key);
    clock.advance(2000);
    bench.run({ hub: `wss://localhost:${bench.port}`, cluster: 'us', token: 'weir_us', caFile: newAuthority.cert });
    await until(() => bench.count('us accepted') > 0, 'a report over the new certificate');
    const before = bench.count('eu accepted');
    // Reports are answered on the same connection: one that was opened anew would not trust the new authority.
    await until(() => bench.count('eu accepted') > before, 'a report over the old connection');
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
