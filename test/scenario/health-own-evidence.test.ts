// A worker ejects on what it sees itself: with the controller standing still, a dead endpoint costs a worker 5 failures and no more.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { failuresOf, keepClients, tally, type Asked } from '../support/kept-clients.ts';
import { named, startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const WORKERS = 2;
/** Failures in a row that eject. */
const CONSECUTIVE = 5;
/** Every worker gets its share of each round, so after so many rounds each has sent more than 5 requests to the half that is dead. */
const ROUNDS = 12;

test('without retries each worker lets its 5 failures through and then none', async (t) => {
  const { during, after, failedAttempts } = await killWhileControllerStands(t, 'retries: { attempts: 0 }');
  const failures = failuresOf(during);
  assert.equal(failures.length, CONSECUTIVE * WORKERS);
  assert.ok(failures.every(({ status, body }) => status === 502 && body.includes('connect_failed')));
  assert.deepEqual(tally(after), { west: after.length });
  assert.equal(failedAttempts, failures.length);
});

test('with retries no client notices', async (t) => {
  const { during, after, failedAttempts } = await killWhileControllerStands(t, 'retries: { attempts: 2 }');
  assert.deepEqual(failuresOf([...during, ...after]), []);
  assert.equal(failedAttempts, CONSECUTIVE * WORKERS);
});

interface Outcome {
  readonly during: readonly Asked[];
  readonly after: readonly Asked[];
  /** As the workers counted them, told when the controller goes on. */
  readonly failedAttempts: number;
}

async function killWhileControllerStands(t: TestContext, retries: string): Promise<Outcome> {
  const east = await startOrigin(t, named('east'));
  const west = await startOrigin(t, named('west'));
  const appliance = await startAppliance(t, { yaml: config(east.endpoint, west.endpoint, retries), workers: WORKERS, untilProbed: true });
  const clients = keepClients(t, appliance.url(), 16);
  assert.deepEqual(Object.keys(tally(await clients.ask(100))).sort(), ['east', 'west']);
  const { controller } = appliance.pids();
  process.kill(controller, 'SIGSTOP');
  await east.kill();
  // Never two at once: the next request finds what the one before left.
  const during = await clients.askInTurn(ROUNDS);
  const after = await clients.askInTurn(4);
  process.kill(controller, 'SIGCONT');
  const told = async (): Promise<boolean> => (await appliance.metricSum('weir_upstream_failures_total')) >= CONSECUTIVE * WORKERS;
  await until(told, 'the workers have told their figures', 10_000);
  assert.equal(appliance.pids().controller, controller);
  const deadFor = async (): Promise<boolean> => (await appliance.status()).clusters[0]?.health === 'down';
  await until(deadFor, 'the controller knows too', 10_000);
  return { during, after, failedAttempts: await appliance.metricSum('weir_upstream_failures_total') };
}

function config(east: string, west: string, retries: string): string {
  return `clusters:
  east: { endpoints: ["${east}"], health: { http: { path: /healthz }, interval: 200ms }, outlier: { consecutive: ${CONSECUTIVE}, baseEjection: 60s } }
  west: { endpoints: ["${west}"], health: { http: { path: /healthz }, interval: 200ms } }
services:
  demo:
    versions: { blue: { clusters: { east: {}, west: {} } } }
    ${retries}
routes:
  - { service: demo }
`;
}
