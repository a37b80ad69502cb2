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
routes:
  - { service: shop, match: { path: /dear }, filters: [{ addressLimit: { limits: [by-tenant], cost: 10 } }] }
  - { service: shop, filters: [{ addressLimit: { limits: [by-tenant] } }] }
limits: { by-tenant: { by: ["header:x-tenant"], allow: ${LIMIT}, per: 24h, algorithm: fixed } }
`;
  const appliance = await startAppliance(t, { yaml, workers: 4, untilProbed: true });
  const passed = async (requests: number, tenant: string, path = '/', cost = 1): Promise<number> => {
    const counts = await statusesOfMany([`${appliance.url()}${path}`], { requests, headers: { 'x-tenant': tenant } });
    assert.deepEqual(new Set(counts.keys()), new Set(requests * cost > LIMIT ? [200, 429] : [200]));
    return counts.get(200) ?? 0;
  };
  const burst = await passed(10 * LIMIT, 'a');
  assert.ok(burst <= LIMIT && burst >= 0.95 * LIMIT, `${burst} of ${LIMIT}`);
  // Small counts on their own connections: nobody is refused because another worker had the rest.
  assert.equal(await passed(900, 'b'), 900);
  // Of a route whose requests cost ten, a tenth passes; what four workers have in hand and cannot use is at most one such request each.
  const dear = await passed(LIMIT, 'c', '/dear', 10);
  assert.ok(dear * 10 <= LIMIT && dear * 10 >= 0.95 * LIMIT - 40, `${dear} of ${LIMIT / 10}`);
});
