// Large bodies of many clients at once, both ways, over every protocol, with peers that pause and leave: each byte that arrives is the right one,
// and what broke off is never taken for whole. LARGE_BODIES=5000 makes a long run of it, LARGE_BODIES_SEED=N repeats one.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, request as requestPlain, type OutgoingHttpHeaders } from 'node:http';
import {
  connect,
  constants,
  createSecureServer as createHttp2Secure,
  createServer as createHttp2,
  Http2ServerResponse,
  type ClientHttp2Session,
} from 'node:http2';
import { Agent as SecureAgent, request as requestSecure } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable, Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import type { Random } from '../../health/clock.ts';
import { startAppliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { pour, receive, type Received } from '../support/numbered-body.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';

const BODIES = Number(process.env['LARGE_BODIES'] ?? 200);
const SEED = Number(process.env['LARGE_BODIES_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const CLIENTS = 12;
const LONGEST = 8_000_000;
const DOWNSTREAM = ['http/1.1', 'tls', 'h2'] as const;
const UPSTREAM = ['http1', 'h2c', 'tls'] as const;

/** One body, as its path tells the origin. */
interface Transfer {
  readonly id: number;
  readonly direction: 'up' | 'down';
  readonly length: number;
  readonly chunked: boolean;
  /** Who leaves behind `cutAt` bytes. */
  readonly cutBy: 'nobody' | 'client' | 'origin';
  readonly cutAt: number;
}

function transfer(id: number, random: Random): Transfer {
  const length = Math.floor(LONGEST * random() ** 3) + 1;
  const lot = random();
  const cutBy = lot < 0.85 ? 'nobody' : lot < 0.93 ? 'client' : 'origin';
  const direction = random() < 0.5 ? 'up' : 'down';
  return { id, direction, length, chunked: random() < 0.3, cutBy, cutAt: Math.floor(random() * length) };
}

function pathOf(upstream: string, facts: Transfer): string {
  return `/${upstream}?${new URLSearchParams(Object.entries(facts).map(([name, value]) => [name, String(value)])).toString()}`;
}

function transferIn(path: string): Transfer {
  const said = new URL(path, 'http://origin').searchParams;
  const number = (name: string): number => Number(said.get(name));
  const direction = said.get('direction') === 'up' ? 'up' : 'down';
  const cutBy = said.get('cutBy') === 'origin' ? 'origin' : 'nobody';
  return { id: number('id'), length: number('length'), cutAt: number('cutAt'), direction, cutBy, chunked: said.get('chunked') === 'true' };
}

type Incoming = Readable & { readonly url?: string | undefined };
/** Of both protocols. */
type Outgoing = Writable & { writeHead(status: number, headers: OutgoingHttpHeaders): unknown };

/** What the origins have received, by id. */
type Arrived = Map<number, Received>;

async function answer(incoming: Incoming, response: Outgoing, arrived: Arrived, random: Random): Promise<void> {
  const wish = transferIn(incoming.url ?? '/');
  const atMost = wish.cutBy === 'origin' ? wish.cutAt : Infinity;
  const { direction, cutBy, chunked, length, id } = wish;
  if (direction === 'down') {
    response.writeHead(200, chunked ? {} : { 'content-length': length });
    if (!(await pour(response, wish, random, atMost))) cut(response);
    return;
  }
  arrived.set(id, await receive(incoming, id, random, atMost));
  if (cutBy === 'origin') {
    cut(response);
    return;
  }
  response.writeHead(200, { 'content-length': 0 });
  response.end();
}

function cut(response: Outgoing): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

/** A way of asking: the stream to send the body to, and the answer; null: there was none. */
type Ask = (
  path: string,
  facts: Transfer,
) => { readonly body: Writable; readonly answered: Promise<{ status: number; body: Readable } | null> };

function overHttp1(port: number, secure: boolean, t: TestContext): Ask {
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
  const agent = secure ? new SecureAgent({ keepAlive: true, ...options }) : new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  return (path, { direction, chunked, length }) => {
    const headers = direction === 'down' || chunked ? {} : { 'content-length': length };
    const make = secure ? requestSecure : requestPlain;
    const outgoing = make({ ...options, agent, path, method: direction === 'up' ? 'POST' : 'GET', headers });
    const { promise, resolve } = Promise.withResolvers<{ status: number; body: Readable } | null>();
    outgoing.once('response', (response) => resolve({ status: response.statusCode ?? 0, body: response }));
    outgoing.on('error', () => resolve(null)).once('close', () => resolve(null));
    return { body: outgoing, answered: promise };
  };
}

function overHttp2(port: number, t: TestContext): Ask {
  let session: ClientHttp2Session | null = null;
  t.after(() => session?.destroy());
  return (path, { direction, chunked, length }) => {
    if (session === null || session.closed || session.destroyed) {
      session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
      session.on('error', () => undefined);
    }
    const headers = direction === 'down' || chunked ? {} : { 'content-length': length };
    const stream = session.request(
      { ...headers, ':path': path, ':method': direction === 'up' ? 'POST' : 'GET' },
      { endStream: direction === 'down' },
    );
    const { promise, resolve } = Promise.withResolvers<{ status: number; body: Readable } | null>();
    stream.once('response', (head) => resolve({ status: head[':status'] ?? 0, body: stream satisfies Duplex }));
    stream.on('error', () => resolve(null)).once('close', () => resolve(null));
    return { body: stream, answered: promise };
  };
}

/** What the client saw. */
interface Outcome {
  readonly how: string;
  readonly wish: Transfer;
  /** 0: no answer. */
  readonly status: number;
  /** Of a download that was answered by the origin. */
  readonly received: Received | undefined;
}

async function carry(ask: Ask, upstream: string, wish: Transfer, random: Random): Promise<Pick<Outcome, 'status' | 'received'>> {
  const atMost = wish.cutBy === 'client' ? wish.cutAt : Infinity;
  const { body, answered } = ask(pathOf(upstream, wish), wish);
  if (wish.direction === 'up') {
    // An answer that comes before the end of the body ends the stream of the client only when it is read.
    const status = answered.then((response) => (response?.body.resume(), response?.status ?? 0));
    await pour(body, wish, random, atMost);
    if (wish.cutBy === 'client') body.destroy();
    return { status: await status, received: undefined };
  }
  body.end();
  const response = await answered;
  const status = response?.status ?? 0;
  if (response === null || status !== 200) {
    response?.body.resume();
    return { status, received: undefined };
  }
  const received = await receive(response.body, wish.id, random, atMost);
  if (wish.cutBy === 'client') response.body.destroy();
  return { status, received };
}

function judge(outcomes: readonly Outcome[], arrived: Arrived) {
  const found = { whole: 0, cut: 0, bytes: 0, wrong: [] as string[] };
  for (const outcome of outcomes) {
    const { wish, status } = outcome;
    const received = wish.direction === 'up' ? arrived.get(wish.id) : outcome.received;
    const { length = 0, ended = false, wrongAt = -1 } = received ?? {};
    found.bytes += length;
    const isWhole = ended && length === wish.length && status === 200;
    if (wrongAt >= 0 || (ended && length !== wish.length) || (wish.cutBy === 'nobody' && !isWhole))
      found.wrong.push(JSON.stringify({ ...outcome, received }));
    else if (isWhole) found.whole += 1;
    else found.cut += 1;
  }
  return found;
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test(`${BODIES} large bodies at once through 2 workers, each byte in its place`, async (t) => {
  t.diagnostic(`LARGE_BODIES_SEED=${SEED}`);
  const directory = mkdtempSync(join(tmpdir(), 'weir-bodies-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(directory, { names: ['127.0.0.1'] });
  const pem = { cert: readFileSync(cert), key: readFileSync(key) };
  const random = seededRandom(SEED);
  const arrived: Arrived = new Map();
  const handler = (incoming: Incoming, response: Outgoing): void => {
    incoming.on('error', () => undefined);
    response.on('error', () => undefined);
    void answer(incoming, response, arrived, random);
  };
  const origins = {
    http1: `http://127.0.0.1:${await listening(t, createServer(handler))}`,
    h2c: `h2c://127.0.0.1:${await listening(t, createHttp2(handler))}`,
    tls: `https://127.0.0.1:${await listening(t, createHttp2Secure(pem, handler))}`,
  };
  const appliance = await startAppliance(t, { yaml: config({ cert, key }, origins), workers: 2 });
  const workers = appliance.pids().workers;
  const ways: Record<(typeof DOWNSTREAM)[number], Ask> = {
    'http/1.1': overHttp1(appliance.port('web'), false, t),
    tls: overHttp1(appliance.port('secure'), true, t),
    h2: overHttp2(appliance.port('secure'), t),
  };
  const outcomes: Outcome[] = [];
  let given = 0;
  const client = async (): Promise<void> => {
    for (let id = given++; id < BODIES; id = given++) {
      const [downstream, upstream] = [DOWNSTREAM[id % 3] ?? 'h2', UPSTREAM[Math.floor(id / 3) % 3] ?? 'tls'];
      const wish = transfer(id, random);
      outcomes.push({ how: `${downstream} to ${upstream}`, wish, ...(await carry(ways[downstream], upstream, wish, random)) });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await until(async () => (await appliance.status()).inFlight === 0, 'nothing is left in work', 10_000);
  const { whole, cut: brokenOff, bytes, wrong } = judge(outcomes, arrived);
  t.diagnostic(JSON.stringify({ whole, brokenOff, megabytes: Math.round(bytes / 1e6), wrong: wrong.length }));
  assert.deepEqual(wrong.slice(0, 10), []);
  assert.equal(whole + brokenOff, BODIES);
  assert.ok(whole > BODIES / 2);
  assert.deepEqual(appliance.pids().workers, workers, 'no worker had to be replaced');
});

function config(
  { cert, key }: { readonly cert: string; readonly key: string },
  origins: Readonly<Record<(typeof UPSTREAM)[number], string>>,
): string {
  const rest = 'health: none, outlier: { consecutive: 1000000, ratio: 100%, minRequests: 1000000 }';
  const cluster = (name: (typeof UPSTREAM)[number]): string => {
    const trust = name === 'tls' ? `tls: { ca: "${cert}" }, ` : '';
    return `  ${name}: { endpoints: ["${origins[name]}"], ${trust}${rest} }`;
  };
  return `listeners:
  web: { bind: "127.0.0.1:0" }
  secure: { bind: "127.0.0.1:0", tls: { certificates: [{ cert: "${cert}", key: "${key}" }] } }
clusters:
${UPSTREAM.map(cluster).join('\n')}
services:
${UPSTREAM.map((name) => `  ${name}: { versions: { blue: { clusters: { ${name}: {} } } } }`).join('\n')}
routes:
${UPSTREAM.map((name) => `  - { match: { path: /${name} }, service: ${name} }`).join('\n')}
`;
}
