// The file of an agent: what it may say, and all that is wrong with it at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAgentFile, readAgentFile } from '../../../agent/settings.ts';

test('a file in order is completed', async () => {
  const read = await parseAgentFile(`
gateways: [{ service: ingress/nginx, port: 443, ratePerEndpoint: 900 }]
services:
  shop: { service: shop/web, learn: { p95: 1.5s }, application: "http://{address}:9090/load" }
  cart: { service: shop/cart, ratePerEndpoint: 20, scaler: 0.5 }
capacity: { rps: 5000 }
`);
  assert.deepEqual(read, {
    ok: true,
    settings: {
      gateways: [{ service: 'ingress/nginx', port: '443', addresses: 'loadBalancer', ratePerEndpoint: 900 }],
      services: [
        {
          name: 'shop',
          service: 'shop/web',
          port: null,
          ratePerEndpoint: null,
          learnP95Ms: 1500,
          application: 'http://{address}:9090/load',
          scaler: 1,
        },
        { name: 'cart', service: 'shop/cart', port: null, ratePerEndpoint: 20, learnP95Ms: null, application: null, scaler: 0.5 },
      ],
      capacityRps: 5000,
    },
  });
});

test('all that is wrong is said at once, with where and what was expected', async () => {
  const read = await parseAgentFile(`
gateways: [{ service: nginx, addresses: hostPort }]
services:
  shop: { service: shop/web, ratePerEndpoint: -1, lern: {} }
capacity: { rps: lots }
`);
  assert.deepEqual(read.ok ? [] : read.problems, [
    'gateways.0.service: "nginx", expected NAMESPACE/NAME of a Service',
    'gateways.0.addresses: "hostPort", expected loadBalancer, nodePort, pod',
    'services.shop.ratePerEndpoint: -1, expected requests per second, above 0',
    'services.shop.lern: there is no such key; expected service, port, ratePerEndpoint, learn, application, scaler',
    'capacity.rps: "lots", expected requests per second, above 0',
  ]);
});

test('a rate is declared or learned, and something has to be named', async () => {
  const both = await parseAgentFile('services: { shop: { service: shop/web, ratePerEndpoint: 5, learn: { p95: 1s } } }');
  assert.match(both.ok ? '' : both.problems.join(), /ratePerEndpoint and learn stand together; keep one/);
  for (const empty of ['', '{}', 'capacity: { rps: 5 }']) {
    const read = await parseAgentFile(empty);
    assert.match(read.ok ? '' : read.problems.join(), /neither gateways nor services/, empty);
  }
  assert.equal((await parseAgentFile('a: [')).ok, false);
  const missing = await readAgentFile('/nowhere/agent.yaml');
  assert.match(missing.ok ? '' : missing.problems.join(), /^\/nowhere\/agent\.yaml cannot be read: ENOENT/);
});
