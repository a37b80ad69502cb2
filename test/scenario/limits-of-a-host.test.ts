// A limit holds for the host and not for each of its workers: a real edge host with four of them, ten times as many requests at once as may pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startOrigin } from '../support/origin.ts';
import { statusesOfMany } from '../support/statuses-of-many.ts';

const LIMIT = 1000;

test('of ten times the limit at once, the limit passes over four workers', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('served'));
  const yaml = `version: 1
listeners: { web: { bind: "127.0.0.1:0" } }
clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop, filters: [{ addressLimit: { limits: [by-tenant] } }] }]
limits: { by-tenant: { by: ["header:x-tenant"], allow: ${LIMIT}, per: 24h, algorithm: fixed } }
`;
  const appliance = await startAppliance(t, { yaml, workers: 4, untilProbed: true });
  const passed = async (requests: number, tenant: string): Promise<number> => {
    const counts = await statusesOfMany([appliance.url()], { requests, headers: { 'x-tenant': tenant } });
    assert.deepEqual(new Set(counts.keys()), new Set(requests > LIMIT ? [200, 429] : [200]));
    return counts.get(200) ?? 0;
  };
  const burst = await passed(10 * LIMIT, 'a');
  assert.ok(burst <= LIMIT && burst >= 0.95 * LIMIT, `${burst} of ${LIMIT}`);
  // Small counts on their own connections: nobody is refused because another worker had the rest.
  assert.equal(await passed(900, 'b'), 900);
});
