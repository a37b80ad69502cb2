// A split over the processes of a host: exact to what the choice of each worker promises, from the first request and after every shift.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { keepClients, tally } from '../support/kept-clients.ts';
import { named, PATIENT_PROBES, startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const WORKERS = 4;
const CONNECTIONS = 64;

test('10,000 requests at a 1 % split over 4 workers, and what follows after shifts', async (t) => {
  const blue = await startOrigin(t, named('blue'));
  const green = await startOrigin(t, named('green'));
  const appliance = await startAppliance(t, { yaml: config(blue.endpoint, green.endpoint), workers: WORKERS, untilProbed: true });
  const clients = keepClients(t, appliance.url(), CONNECTIONS);
  /** Requests of `times` that reached green. */
  const reachGreen = async (times: number): Promise<number> => {
    const counts = tally(await clients.ask(times));
    assert.deepEqual(
      Object.keys(counts).filter((body) => body !== 'blue' && body !== 'green'),
      [],
    );
    return counts['green'] ?? 0;
  };

  await t.test('1 % of 10,000 is 97 to 103', async () => {
    const reached = await reachGreen(10_000);
    // After n choices a worker has chosen green c times with |c - n/100| < 1, whatever n is. Summed over the workers, whose n
    // sum to 10,000: |reached - 100| < 4.
    assert.ok(Math.abs(reached - 100) < WORKERS, `${reached} reached green`);
    assert.equal(green.requests.length, reached);
    assert.equal(blue.requests.length, 10_000 - reached);
    t.diagnostic(`1 %: ${reached} of 10,000`);
  });

  await t.test('the appliance sees that the split is respected, between bounds that hold 1 %', async () => {
    const green = async () => (await appliance.status()).services[0]?.targets.find(({ version }) => version === 'green');
    // Requests count from three seconds after the last change of shares on.
    const narrow = async (): Promise<boolean> => {
      await reachGreen(500);
      return ((await green())?.observedHigh ?? 1) < 0.03;
    };
    await until(narrow, 'enough has been seen', 20_000);
    const { respected, observedLow, observedHigh } = (await green()) ?? {};
    assert.equal(respected, true);
    assert.ok((observedLow ?? 1) < 0.01 && (observedHigh ?? 0) > 0.01, `${observedLow} to ${observedHigh}`);
  });

  await t.test('all workers had a part in it', async () => {
    await until(
      async () => (await connectionsPerWorker(appliance)).reduce((sum, count) => sum + count, 0) >= CONNECTIONS,
      'connections are counted',
    );
    const counts = await connectionsPerWorker(appliance);
    assert.equal(counts.length, WORKERS);
    assert.ok(
      counts.every((count) => count > 0),
      `connections of the workers: ${counts.join(', ')}`,
    );
    t.diagnostic(`connections of the workers: ${counts.join(', ')}`);
  });

  await t.test('weight 0 gets exactly 0', async () => {
    await shift(appliance, 'green=0');
    assert.equal(await reachGreen(1000), 0);
  });

  await t.test('from 0 to 37.5 %: within 1 per worker again', async () => {
    await shift(appliance, 'green=37.5');
    // Blue had all, so nobody is owed anything at the shift: the bound is that of a fresh start.
    const reached = await reachGreen(2000);
    assert.ok(Math.abs(reached - 750) < WORKERS, `${reached} reached green`);
    t.diagnostic(`37.5 %: ${reached} of 2,000`);
  });

  await t.test('from 37.5 % to 12.5 %: within 2 per worker', async () => {
    await shift(appliance, 'green=12.5');
    // What a worker owes at the shift, less than 1 either way, is carried over; at the end it owes less than 1 again.
    const reached = await reachGreen(2000);
    assert.ok(Math.abs(reached - 250) < 2 * WORKERS, `${reached} reached green`);
    t.diagnostic(`12.5 %: ${reached} of 2,000`);
  });

  await t.test('all to green leaves blue exactly 0', async () => {
    await shift(appliance, 'green=100');
    assert.equal(await reachGreen(500), 500);
  });
});

async function shift(appliance: Appliance, percent: string): Promise<void> {
  const { code, stdout, stderr } = await appliance.weir('shift', 'demo', percent, '--yes');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /applied on 4\/4 workers/);
}

async function connectionsPerWorker(appliance: Appliance): Promise<readonly number[]> {
  return [...(await appliance.metrics()).matchAll(/^weir_connections_open\{listener="web",worker="\w+"[^}]*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
}

function config(blue: string, green: string): string {
  return `clusters:
  east: { endpoints: ["${blue}"], health: ${PATIENT_PROBES} }
  west: { endpoints: ["${green}"], health: ${PATIENT_PROBES} }
services:
  demo:
    versions:
      blue: { clusters: { east: {} } }
      green: { clusters: { west: {} } }
    split: { blue: 99, green: 1 }
routes:
  - { service: demo }
`;
}
