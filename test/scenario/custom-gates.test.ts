// Gates that ask others, on a real appliance: a rollout waits while nobody answers, goes on when they agree, and goes back when they do not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { RolloutView } from '../../balancer/controller/api/views.ts';
import { startAppliance } from '../support/appliance.ts';
import { rolloutOf } from '../support/rollout-of.ts';
import { named, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

test('a gate that asks holds a rollout while there is no answer, lets it go on, and takes it back', async (t) => {
  const checks = await startChecks(t);
  const blue = await startOrigin(t, named('blue'));
  const green = await startOrigin(t, named('green'));
  const yaml = `clusters:
  one: { endpoints: ["${blue.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } }
  two: { endpoints: ["${green.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } }
gates:
  orders: { prometheus: { url: "${checks.url}", query: 'lost_orders{version="$version"}' }, below: 1, every: 1s }
services:
  shop:
    versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }
    rollout: { steps: [30, 60, 100], hold: 1s, minRequests: 5, gates: [orders] }
routes: [ { name: all, service: shop } ]
`;
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const load = new PacedLoad(t, appliance.url(), 200);
  assert.equal((await appliance.weir('canary', 'start', 'shop', '--to', 'green')).code, 0);

  await until(async () => saysOrders(await rolloutOf(appliance), 'the result is empty'), 'the gate says why it cannot tell');
  await until(async () => (await rolloutOf(appliance)).heldSeconds >= 2, 'the hold is over');
  assert.deepEqual(at(await rolloutOf(appliance)), ['running', 0], 'nothing to go by neither passes nor fails');

  checks.figure = '0';
  await until(async () => (await rolloutOf(appliance)).step === 1, 'it goes on when there are figures', 20_000);
  assert.ok(checks.asked.every((query) => query === 'lost_orders{version="green"}'));

  checks.figure = '3';
  await until(async () => (await rolloutOf(appliance)).phase === 'rolled_back', 'it goes back when they are bad', 20_000);
  assert.match((await rolloutOf(appliance)).note, /^gate orders: 3, right is below 1$/);
  await load.stop();

  const unknown = await appliance.weir('canary', 'start', 'shop', '--to', 'green', '--gate', 'order');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /"order" is no gate; gates look like .*, or are declared under gates of the config/);
});

interface Checks {
  readonly url: string;
  /** Null: there is no such series. */
  figure: string | null;
  readonly asked: string[];
}

/** The HTTP API of Prometheus, with one series. */
async function startChecks(t: TestContext): Promise<Checks> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (pathname !== '/api/v1/query') return void response.writeHead(404).end();
    asked.push(searchParams.get('query') ?? '');
    const result = checks.figure === null ? [] : [{ metric: {}, value: [Date.now() / 1000, checks.figure] }];
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const checks: Checks = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, figure: null, asked };
  return checks;
}

function saysOrders({ gates }: RolloutView, says: string): boolean {
  return gates.some((gate) => gate.gate === 'orders' && gate.says === says);
}

function at({ phase, step }: RolloutView): readonly [string, number] {
  return [phase, step];
}
