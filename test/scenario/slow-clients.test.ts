// Many clients that are slow on purpose: each kind is let go in time and counted, the others are served as before, and memory stays bounded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { keepClients } from '../support/kept-clients.ts';
import { startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
/** A head of at most 32 KiB and a read of 64 KiB for each, and what V8 has not given back. */
const ALLOWED_GROWTH_MIB = (300 * 96) / 1024 + 32;
/** Slow clients are let go after 3 seconds or more: a request that waited for one of them would take longer than this. */
const ALLOWED_LATENCY_MS = 2500;
const LARGE = Buffer.alloc(8 * MIB, 'x');

/** One kind of slow client: what it says at once, and what it goes on saying. */
interface Slowness {
  readonly count: number;
  readonly name: string;
  readonly first: string;
  readonly drip: string;
  readonly reads: boolean;
  /** Why its connection is cut. */
  readonly reason: string;
}

const KINDS: readonly Slowness[] = [
  {
    name: 'send their heads a field at a time',
    first: 'GET / HTTP/1.1\r\nHost: a\r\n',
    drip: 'X: y\r\n',
    count: 300,
    reads: true,
    reason: 'request_timeout',
  },
  {
    name: 'send their bodies a byte at a time',
    first: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n',
    drip: 'x',
    count: 300,
    reads: true,
    reason: 'body_too_slow',
  },
  {
    name: 'send their bodies in chunks of a byte',
    first: 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    drip: '1\r\nx\r\n',
    count: 300,
    reads: true,
    reason: 'body_too_slow',
  },
  {
    name: 'do not read what they asked for',
    first: 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
    drip: '',
    // Each has megabytes on the way, in buffers of the system.
    count: 30,
    reads: false,
    reason: 'write_timeout',
  },
];

test('clients that are slow on purpose are let go in time; the others do not feel them', async (t) => {
  const appliance = await start(t);
  for (const kind of KINDS) await t.test(`${kind.count} that ${kind.name}`, (sub) => bear(sub, appliance, kind));
  await t.test('floods of fields, of bytes and of ranges are 431, and the next client is served', (sub) => refuseFloods(sub, appliance));
  await t.test('a hundred thousand chunks of one byte arrive as the body they are', async (sub) => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
    const received = await answerTo(sub, appliance, `${head}${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`);
    assert.match(received, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n100000$/);
  });
});

async function bear(t: TestContext, appliance: Appliance, kind: Slowness): Promise<void> {
  const others = keepClients(t, appliance.url(), 2);
  await others.ask(50, { path: '/' });
  const worker = appliance.pids().workers[0] ?? 0;
  const before = { mib: residentMib(worker), cut: await cut(appliance, kind.reason) };
  const slow = new SlowClients(t, Number(new URL(appliance.url()).port), kind);
  const load = others.load(5);
  await until(() => slow.open === 0, 'all are let go', 60_000);
  const asked = await load.stop();
  const growth = residentMib(worker) - before.mib;
  assert.ok(asked.length > 20, 'the others were served meanwhile');
  assert.deepEqual([...new Set(asked.map(({ status }) => status))], [200]);
  const gaps = asked.map(({ atMs }, index) => atMs - (asked[index - 2]?.atMs ?? atMs));
  t.diagnostic(`longest wait of the others ${Math.max(...gaps).toFixed(0)} ms; the worker grew by ${growth.toFixed(0)} MiB`);
  assert.ok(Math.max(...gaps) < ALLOWED_LATENCY_MS, `the longest wait was ${Math.max(...gaps).toFixed(0)} ms`);
  assert.ok(growth < ALLOWED_GROWTH_MIB, `the worker grew by ${growth.toFixed(0)} MiB`);
  const counted = async (): Promise<boolean> => (await cut(appliance, kind.reason)) - before.cut === kind.count;
  await until(counted, `${kind.count} are counted as ${kind.reason}`);
}

async function refuseFloods(t: TestContext, appliance: Appliance): Promise<void> {
  const flood = (fields: string): Promise<string> => answerTo(t, appliance, `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  assert.match(await flood('X: y\r\n'.repeat(5000)), /^HTTP\/1\.1 431 /);
  assert.match(await flood(`X: ${'y'.repeat(MIB)}\r\n`), /^HTTP\/1\.1 431 /);
  const ranges = Array.from({ length: 10_000 }, (_, at) => `${at}-`).join(',');
  assert.match(await flood(`Range: bytes=${ranges}\r\n`), /^HTTP\/1\.1 431 /);
  const [answer] = await keepClients(t, appliance.url(), 1).ask(1);
  assert.equal(answer?.status, 200);
}

async function start(t: TestContext): Promise<Appliance> {
  const origin = await startOrigin(t, (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('error', () => undefined);
    request.on('end', () => response.end(request.url === '/large' ? LARGE : String(bytes)));
  });
  return startAppliance(t, {
    workers: 1,
    yaml: `version: 1
listeners: { web: { bind: "127.0.0.1:0", timeouts: { requestHead: 3s, write: 3s } } }
clusters: { one: { endpoints: ["${origin.endpoint}"], health: none } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [ { name: all, service: shop } ]
`,
  });
}

class SlowClients {
  open = 0;

  constructor(t: TestContext, port: number, { count, first, drip, reads }: Slowness) {
    const sockets: Socket[] = [];
    for (let opened = 0; opened < count; opened += 1) {
      const socket = connect(port, '127.0.0.1', () => socket.write(first));
      this.open += 1;
      socket.on('error', () => undefined).on('close', () => (this.open -= 1));
      if (reads) socket.resume();
      // One that does not read does not see its end either; the reset of one that is cut it does.
      else socket.pause();
      sockets.push(socket);
    }
    const timer = setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed && socket.writable) socket.write(drip === '' ? '\r' : drip);
    }, 200);
    t.after(() => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    });
  }
}

/** All that comes back; a connection that is reset behind its answer has said what it had to. */
async function answerTo(t: TestContext, appliance: Appliance, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(appliance.url()).port), '127.0.0.1');
  t.after(() => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  for (const event of ['end', 'close', 'error']) socket.once(event, () => resolve(undefined));
  socket.write(bytes, 'latin1');
  await promise;
  return received;
}

function residentMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

async function cut(appliance: Appliance, reason: string): Promise<number> {
  const text = await appliance.metrics();
  return Number(new RegExp(`^weir_connections_cut_total\\{[^}]*reason="${reason}"[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}
