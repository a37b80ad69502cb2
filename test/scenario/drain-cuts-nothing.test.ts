// Requests and WebSockets that are under way outlast every change: none is cut by a shift, an undo, a drain or a reload. When the deadline of a drain
// has passed its WebSockets are told so one by one, at the pace that was asked for; restoring the cluster stops that.
import assert from 'node:assert/strict';
import { connect, type ClientHttp2Session } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startHeldOrigin, type HeldOrigin } from '../support/held-origin.ts';
import { until } from '../support/until.ts';

const REQUESTS = Number(process.env['DRAIN_REQUESTS'] ?? 300);
const WEB_SOCKETS = Number(process.env['DRAIN_WEB_SOCKETS'] ?? 40);
const STREAMS = 100;
const DEADLINE_MS = 60_000;

const yamlOf = (one: HeldOrigin, two: HeldOrigin): string => `
clusters:
  one: { endpoints: ["${one.endpoint}"], connectTimeout: 30s, maxConnections: 20000, health: none }
  two: { endpoints: ["${two.endpoint}"], connectTimeout: 30s, maxConnections: 20000, health: none }
services:
  shop:
    versions:
      blue: { clusters: { one: { weight: 50 }, two: { weight: 50 } } }
      green: { clusters: { two: {} } }
    split: { blue: 90, green: 10 }
    timeouts: { firstByte: 10m, try: 0 }
routes:
  - { name: shop, match: { path: / }, service: shop }
`;

/** Many requests that wait for their answers, over few connections. */
class Waiting {
  readonly answers: string[] = [];
  readonly failures: string[] = [];
  readonly #sessions: ClientHttp2Session[] = [];

  constructor(t: TestContext) {
    t.after(() => {
      for (const session of this.#sessions) session.destroy();
    });
  }

  /** One connection after the other: thousands of connections at once to origins in the process of the test would be late for that alone. */
  async ask(appliance: Appliance, count: number, held: () => number): Promise<void> {
    for (let asked = 0; asked < count; asked += STREAMS) {
      const session = connect(appliance.url());
      session.on('error', (error: Error) => this.failures.push(error.message));
      this.#sessions.push(session);
      const atOnce = Math.min(count, asked + STREAMS);
      for (let stream = asked; stream < atOnce; stream += 1) this.#ask(session);
      await until(() => held() === atOnce, `${atOnce} requests wait at the origins`, DEADLINE_MS);
    }
  }

  #ask(session: ClientHttp2Session): void {
    const stream = session.request({ ':path': '/' });
    let body = '';
    stream.setEncoding('utf8').on('data', (text: string) => (body += text));
    stream.on('error', (error: Error) => this.failures.push(error.message));
    stream.on('end', () => this.answers.push(body));
  }
}

interface Client {
  readonly socket: WebSocket;
  /** What came back last. */
  last: string;
  /** Code of the end; 0: it is open. */
  code: number;
  endedMs: number;
}

async function webSockets(t: TestContext, appliance: Appliance, count: number): Promise<readonly Client[]> {
  const clients = Array.from({ length: count }, (): Client => {
    const client: Client = { socket: new WebSocket(appliance.url().replace('http', 'ws')), last: '', code: 0, endedMs: 0 };
    client.socket.addEventListener('message', ({ data }) => (client.last = String(data)));
    client.socket.addEventListener('close', ({ code }) => {
      client.code = code;
      client.endedMs = performance.now();
    });
    return client;
  });
  t.after(() => {
    for (const { socket } of clients) socket.close();
  });
  await until(() => clients.every(({ socket }) => socket.readyState === WebSocket.OPEN), `${count} WebSockets are open`, DEADLINE_MS);
  return clients;
}

async function echoes(clients: readonly Client[], word: string): Promise<void> {
  for (const { socket } of clients) socket.send(word);
  await until(() => clients.every(({ last }) => last === word), `every WebSocket sends back ${word}`, DEADLINE_MS);
}

async function weir(appliance: Appliance, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await appliance.weir(...args);
  assert.equal(code, 0, `weir ${args.join(' ')}: ${stderr}`);
}

test(`${REQUESTS} requests and ${WEB_SOCKETS} WebSockets under way outlast a shift, an undo, a drain and a reload`, async (t) => {
  const [one, two] = [await startHeldOrigin(t, 'one'), await startHeldOrigin(t, 'two')];
  const appliance = await startAppliance(t, { yaml: yamlOf(one, two), workers: 2 });
  const clients = await webSockets(t, appliance, WEB_SOCKETS);
  const waiting = new Waiting(t);
  await waiting.ask(appliance, REQUESTS, () => one.held + two.held);
  const [heldByOne, joinedToOne] = [one.held, one.webSockets];
  assert.ok(heldByOne > 0 && joinedToOne > 0 && two.webSockets > 0);

  await weir(appliance, 'shift', 'shop', 'green=60', '--yes');
  await weir(appliance, 'undo', '--yes');
  await weir(appliance, 'drain', 'one', '--deadline', '1h', '--yes');
  appliance.rewrite((yaml) => yaml.replaceAll('maxConnections: 20000', 'maxConnections: 19999'));
  appliance.signal('SIGHUP');
  const reloaded = async (): Promise<boolean> => {
    const { generation, workersReady } = await appliance.status();
    return generation === 2 && workersReady === 2;
  };
  await until(reloaded, 'both workers serve the new config', DEADLINE_MS);

  await t.test('the cluster that is drained is counted down, over generations', async () => {
    const counted = async (): Promise<boolean> => {
      const running = (await appliance.status()).clusters[0]?.running;
      return running?.requests === heldByOne && running.tunnels === joinedToOne;
    };
    await until(counted, 'all that runs in one is counted');
    assert.match(
      (await appliance.weir('status')).stdout,
      new RegExp(`one is drained: ${heldByOne} requests? and ${joinedToOne} tunnels? left; tunnels close in (1h|59m)`),
    );
    const late = await appliance.weir('drain', 'one', '--wait', '--timeout', '1s');
    assert.deepEqual([late.code, /not within 1 s.*tunnels/.test(late.stderr)], [8, true], late.stderr);
  });

  await echoes(clients, 'still here');
  one.release();
  two.release();
  await until(() => waiting.answers.length + waiting.failures.length === REQUESTS, 'every request has its answer', DEADLINE_MS);
  assert.deepEqual([waiting.failures, one.cut + two.cut, clients.filter(({ code }) => code !== 0).length], [[], 0, 0]);

  await t.test('WebSockets of a cluster whose deadline has passed are told one by one, those of the other stay', async () => {
    const perSecond = Math.max(10, joinedToOne / 2);
    const startedMs = performance.now();
    const command = ['drain', 'one', '--tunnels', 'move', '--tunnels-per-second', String(perSecond), '--wait', '--yes'];
    const { code, stderr } = await appliance.weir(...command);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /waiting: one has 0 requests and \d+ tunnels? left; tunnels are being closed/);
    const moved = clients.filter((client) => client.code !== 0);
    assert.deepEqual([moved.length, moved.filter((client) => client.code !== 1001).length], [joinedToOne, 0]);
    assert.deepEqual([one.closes.length, one.closes.filter((said) => said !== 1001).length, one.cut], [joinedToOne, 0, 0]);
    // Waits of one half to one and a half of the mean: all but never in less than two thirds of it together.
    const tookMs = Math.max(...moved.map(({ endedMs }) => endedMs)) - startedMs;
    assert.ok(tookMs > (((joinedToOne - 1) * 1000) / perSecond) * (2 / 3), `closed within ${tookMs} ms`);
    const staying = clients.filter((client) => client.code === 0);
    assert.equal(staying.length, two.webSockets);
    await echoes(staying, 'not moved');
    assert.equal(await appliance.metricSum('weir_tunnels_moved_total', { cluster: 'one' }), joinedToOne);
  });

  await t.test('a cluster that is restored keeps the tunnels that are left', async () => {
    await weir(appliance, 'restore', 'one', '--yes');
    await weir(appliance, 'drain', 'two', '--tunnels', 'move', '--tunnels-per-second', '4', '--yes');
    const begun = clients.filter(({ code }) => code === 0);
    await until(() => begun.some(({ code }) => code !== 0), 'the first of two is closed', DEADLINE_MS);
    await weir(appliance, 'restore', 'two', '--yes');
    const left = begun.filter(({ code }) => code === 0);
    assert.ok(left.length > 0);
    const restoredAt = Date.parse((await appliance.status()).at);
    const later = async (): Promise<boolean> => Date.parse((await appliance.status()).at) >= restoredAt + 2000;
    await until(later, 'as much time has passed as 8 more would have taken to be closed');
    assert.equal(left.filter(({ code }) => code !== 0).length, 0);
    await echoes(left, 'restored');
  });
});
