// A real edge host of three workers lets so many requests run at once, however each ends, whichever process is killed.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startHeldOrigin, type HeldOrigin } from '../support/held-origin.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const LIMIT = 6;
const SETTLE_MS = 20_000;
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const WEBSOCKET =
  'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** With the code 1000, masked by zeros. */
const CLOSE_FRAME = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

interface Held {
  readonly t: TestContext;
  readonly appliance: Appliance;
  readonly origin: HeldOrigin;
}

async function start(t: TestContext): Promise<Held> {
  const origin = await startHeldOrigin(t, 'held');
  const yaml = `clusters: { one: { endpoints: ["${origin.endpoint}"], health: { http: { path: /healthz }, interval: 1s } } }
services: { shop: { versions: { blue: { clusters: { one: {} } } }, timeouts: { request: 30s, firstByte: 30s } } }
routes:
  - { name: quick, match: { path: /quick }, service: quick, filters: [{ addressLimit: { limits: [at-once] } }] }
  - { name: all, service: shop, filters: [{ addressLimit: { limits: [at-once] } }] }
limits: { at-once: { by: [address], allow: ${LIMIT}, algorithm: concurrency } }
`.replace('services: { shop', 'services: { quick: { versions: { blue: { clusters: { one: {} } } }, timeouts: { request: 200ms } }, shop');
  return { t, appliance: await startAppliance(t, { yaml, workers: 3, untilProbed: true }), origin };
}

/** Opens connections one after the other until a request is refused; those that wait for their answer. */
async function fill({ t, appliance, origin }: Held, text = GET): Promise<readonly RawClient[]> {
  const clients: RawClient[] = [];
  await until(() => origin.held + origin.webSockets === 0, 'those before are gone', SETTLE_MS);
  for (;;) {
    const client = await connectRaw(t, appliance.port());
    client.send(text);
    await until(() => client.received.includes('\r\n\r\n') || origin.held > clients.length, 'it waits, runs or is refused', SETTLE_MS);
    if (client.received.includes(' 429 ')) {
      client.socket.destroy();
      return clients;
    }
    clients.push(client);
  }
}

const leave = (clients: readonly RawClient[]): void => {
  for (const { socket } of clients) socket.destroy();
};

/** As WebSockets close; a tunnel whose client only says no more stays open the other way. */
const closeTunnels = (tunnels: readonly RawClient[]): void => {
  for (const { socket } of tunnels) socket.end(CLOSE_FRAME);
};

/** Again as many as may, once those before are gone from their workers too. */
async function asManyAgain(held: Held, what: string, { text = GET, end = leave } = {}): Promise<readonly RawClient[]> {
  let clients: readonly RawClient[] = [];
  const full = async (): Promise<boolean> => {
    end(clients);
    clients = await fill(held, text);
    assert.ok(clients.length <= LIMIT, `${clients.length} of ${LIMIT}: ${what}`);
    return clients.length === LIMIT;
  };
  await until(full, `${LIMIT} run again: ${what}`, SETTLE_MS);
  return clients;
}

test('requests at once', { timeout: 120_000 }, async (t) => {
  const held = await start(t);
  const { appliance, origin } = held;
  let clients = await fill(held);
  assert.equal(clients.length, LIMIT);

  await t.test('above the limit requests are refused, whichever worker they come to', async () => {
    for (let one = 0; one < 6; one += 1) {
      const { status, headers, body } = await appliance.get('/');
      assert.equal(status, 429);
      assert.match(body, /too_many_at_once/);
      assert.equal(headers['retry-after'], '1');
      assert.equal(headers['ratelimit-policy'], `"at-once";q=${LIMIT};qu="concurrent-requests"`);
      assert.equal(headers['ratelimit'], '"at-once";r=0');
    }
    const told = async (): Promise<boolean> =>
      (await appliance.metricSum('weir_limit_requests_at_once', { policy: 'at-once' })) === LIMIT &&
      (await appliance.metricSum('weir_rate_limited_total', { policy: 'at-once', outcome: 'refused' })) >= 6;
    await until(told, 'metrics tell', SETTLE_MS);
  });

  await t.test('a request that is answered makes room', async () => {
    origin.release();
    for (const client of clients) await client.untilText('held');
    leave(clients);
    clients = await asManyAgain(held, 'answered');
  });

  await t.test('and one whose client leaves', async () => {
    leave(clients);
    clients = await asManyAgain(held, 'left');
    leave(clients);
  });

  await t.test('and one that runs out of time', async () => {
    // Some are refused while those before still run: each worker has its own.
    for (let one = 0; one < 2 * LIMIT; one += 1) {
      const timed = async (): Promise<boolean> => (await appliance.get('/quick')).status === 504;
      await until(timed, 'it runs out of time', SETTLE_MS);
    }
    clients = await asManyAgain(held, 'timed out');
    leave(clients);
  });

  await t.test('and a tunnel that is closed, and not before', async () => {
    const tunnels = await asManyAgain(held, 'tunnels', { text: WEBSOCKET, end: closeTunnels });
    assert.equal((await appliance.get('/')).status, 429);
    closeTunnels(tunnels);
    clients = await asManyAgain(held, 'closed tunnels');
  });

  await t.test('a killed worker gives back what it had', async () => {
    const [first = 0] = appliance.pids().workers;
    process.kill(first, 'SIGKILL');
    await until(() => appliance.pids().workers.length === 3 && !appliance.pids().workers.includes(first), 'it is replaced', SETTLE_MS);
    leave(clients);
    clients = await asManyAgain(held, 'killed worker');
  });

  await t.test('a killed controller takes nothing with it, and no more run', async () => {
    const { controller } = appliance.pids();
    process.kill(controller, 'SIGKILL');
    const back = (): boolean => ![0, controller].includes(appliance.pids().controller);
    await until(back, 'another controller', SETTLE_MS);
    const ready = async (): Promise<boolean> => (await appliance.weir('get', 'workers')).stdout.match(/ ready /g)?.length === 3;
    await until(ready, 'it knows its workers', SETTLE_MS);
    for (let one = 0; one < 6; one += 1) assert.equal((await appliance.get('/')).status, 429);
    leave(clients);
    clients = await asManyAgain(held, 'killed controller');
    leave(clients);
  });
});
