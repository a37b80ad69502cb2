// Nobody ever gets another's response: origins that reset, delay, cut and say too much, clients that pipeline, reuse and cancel.
// MISMATCH_REQUESTS=100000 makes a long run of it, MISMATCH_SEED=N repeats one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { noFindings, runCheckingClient } from '../support/checking-client.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startUnrulyOrigin } from '../support/unruly-origin.ts';
import { until } from '../support/until.ts';

const REQUESTS = Number(process.env['MISMATCH_REQUESTS'] ?? 5000);
const SEED = Number(process.env['MISMATCH_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const CLIENTS = 24;

test(`${REQUESTS} requests through 2 workers, each answered with its own response`, async (t) => {
  t.diagnostic(`MISMATCH_SEED=${SEED}`);
  const random = seededRandom(SEED);
  const east = await startUnrulyOrigin(t, random);
  const west = await startUnrulyOrigin(t, random);
  const appliance = await startAppliance(t, { yaml: config(east.endpoint, west.endpoint), workers: 2 });
  const workers = appliance.pids().workers;
  const findings = noFindings();
  let given = 0;
  const nextId = (): string | null => (given < REQUESTS ? `r${SEED.toString(36)}-${(given += 1)}` : null);
  const port = appliance.port();
  await Promise.all(Array.from({ length: CLIENTS }, () => runCheckingClient(port, nextId, random, findings)));

  const { mismatches, ...counts } = findings;
  t.diagnostic(JSON.stringify({ ...counts, mismatches: mismatches.length, east: east.did, west: west.did }));
  assert.deepEqual(mismatches.slice(0, 10), []);
  const { right, local, broken, unanswered, cancelled } = counts;
  assert.equal(right + local + broken + unanswered + cancelled, REQUESTS);
  // The origins spoil 10 % of the requests and the clients 5 % of their batches; each takes the rest of its batch with it.
  assert.ok(right > REQUESTS / 2, `only ${right} of ${REQUESTS} were answered in full`);
  for (const way of ['reset', 'silentClose', 'cutBody', 'extraResponse', 'chunked', 'untilClose'])
    assert.ok((east.did[way] ?? 0) + (west.did[way] ?? 0) > 0, `no origin ever did this: ${way}`);
  assert.deepEqual(appliance.pids().workers, workers, 'no worker had to be replaced');
  await until(async () => (await appliance.status()).inFlight === 0, 'nothing is left in work', 10_000);
});

function config(east: string, west: string): string {
  const rest = 'health: none, outlier: { consecutive: 1000000, ratio: 100%, minRequests: 1000000 }';
  return `listeners:
  web: { bind: "127.0.0.1:0", trustedPeers: [127.0.0.1] }
clusters:
  east: { endpoints: ["${east}"], ${rest} }
  west: { endpoints: ["${west}"], ${rest} }
services:
  demo:
    versions: { blue: { clusters: { east: {}, west: {} } } }
routes:
  - { service: demo }
`;
}
