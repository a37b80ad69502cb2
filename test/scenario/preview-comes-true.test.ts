// What a dry run foretells is what is measured after the change: the same plan, the same demand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeResult } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { named, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

/** The goal. Of all requests, as the clients here do not always keep their pace. */
const TOLERANCE = 0.02;
const RPS = 200;

test('the loads that --dry-run foretells are measured ten seconds after the shift', async (t) => {
  const one = await startOrigin(t, named('one'));
  const two = await startOrigin(t, named('two'));
  const yaml = `clusters:
  one: { endpoints: ["${one.endpoint}"], capacity: { rps: 1000 }, health: { http: { path: /healthz }, interval: 200ms } }
  two: { endpoints: ["${two.endpoint}"], capacity: { rps: 500 }, health: { http: { path: /healthz }, interval: 200ms } }
services:
  shop:
    versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }
    split: { blue: 90, green: 10 }
routes: [ { service: shop } ]
`;
  const appliance = await startAppliance(t, { yaml, workers: 2, untilProbed: true });
  const load = new PacedLoad(t, appliance.url(), RPS);
  await until(async () => ((await loads(appliance))['one'] ?? 0) > 0.8 * RPS, 'the demand is known', 20_000);

  const dry = await appliance.weir('shift', 'shop', 'green=60', '--dry-run', '-o', 'json');
  assert.equal(dry.code, 10, dry.stderr);
  const { items } = JSON.parse(dry.stdout) as { readonly items: readonly ChangeResult[] };
  const forecast = items[0]?.forecast;
  assert.ok(forecast !== undefined && forecast !== null);
  assert.deepEqual(
    forecast.moved.map(({ service, toOtherVersion }) => [service, toOtherVersion]),
    [['shop', 0.5]],
  );
  const shown = await appliance.weir('shift', 'shop', 'green=60', '--dry-run');
  assert.match(shown.stdout, /CLUSTER +RPS +UTILISATION\none +1\d\d → [678]\d +1\d\.\d% → [678]\.\d%\ntwo +[12]\d → 1[012]\d +/);
  assert.match(shown.stdout, /one cluster could be lost then: yes/);

  const shifted = await appliance.weir('shift', 'shop', 'green=60', '--yes');
  assert.equal(shifted.code, 0, shifted.stderr);
  const shiftedAtMs = performance.now();
  await until(() => performance.now() - shiftedAtMs > 12_000, 'ten seconds, and two for what workers tell', 20_000);
  const measured = await loads(appliance);
  await load.stop();
  const foretold = Object.fromEntries(forecast.clusters.map(({ cluster, after }) => [cluster, after.rps]));
  for (const { cluster } of forecast.clusters) {
    const off = Math.abs(partOf(measured, cluster) - partOf(foretold, cluster));
    assert.ok(off <= TOLERANCE, `${cluster}: foretold ${JSON.stringify(foretold)}, measured ${JSON.stringify(measured)}`);
  }
});

function partOf(rps: Readonly<Record<string, number>>, cluster: string): number {
  return (rps[cluster] ?? 0) / Object.values(rps).reduce((sum, one) => sum + one, 0);
}

/** Requests a second over the last ten seconds. */
async function loads(appliance: Appliance): Promise<Readonly<Record<string, number>>> {
  return Object.fromEntries((await appliance.status()).clusters.map(({ name, traffic }) => [name, traffic.rps]));
}
