// What applications say of their load, and what of it is believed.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { applicationDispatcher, askService, readLoad } from '../../../agent/application-load.ts';
import { systemClock } from '../../../health/clock.ts';

test('a report in the names of ORCA is read; figures that cannot be make none of it count', () => {
  assert.deepEqual(readLoad({ application_utilization: 0.4, cpu_utilization: 0.9, rps_fractional: 12.5, named_metrics: { p95_ms: 80 } }), {
    ...{ utilisation: 0.4, requestsPerSecond: 12.5, p95Ms: 80 },
  });
  assert.deepEqual(readLoad({ application_utilization: 0, cpu_utilization: 0.9 })?.utilisation, 0.9, 'what is 0 is not said');
  assert.deepEqual(readLoad({ application_utilization: 0 })?.utilisation, 0);
  for (const lie of [
    { cpu_utilization: -1 },
    { cpu_utilization: '0.5' },
    { cpu_utilization: 1e9 },
    { rps_fractional: -5, cpu_utilization: 0.1 },
    {},
    null,
    'busy',
  ])
    assert.equal(readLoad(lie), null, JSON.stringify(lie));
});

test('pods are asked each for itself: their mean use, their requests together, and the slowest of them', async (t) => {
  const loads = [
    { application_utilization: 0.2, rps_fractional: 10, named_metrics: { p95_ms: 50 } },
    { application_utilization: 0.6, rps_fractional: 30, named_metrics: { p95_ms: 90 } },
  ];
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url !== '/load') return void response.writeHead(500).end();
    response.end(JSON.stringify(loads[asked++ % loads.length]));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const dispatcher = applicationDispatcher();
  t.after(async () => {
    await dispatcher.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, addresses: readonly string[]) =>
    askService(dispatcher, { url: `http://{address}:${port}${path}`, addresses, round: 0 }, systemClock);
  assert.deepEqual(await ask('/load', ['127.0.0.1', '127.0.0.1']), {
    kind: 'value',
    value: { utilisation: 0.4, requestsPerSecond: 40, p95Ms: 90 },
  });
  assert.deepEqual(await ask('/load', []), { kind: 'failed', problem: 'no pod of it is ready' });
  assert.deepEqual(await ask('/nothing', ['127.0.0.1']), { kind: 'failed', problem: 'it answers with status 500' });
  // Twenty pods, ten a round.
  asked = 0;
  await ask('/load', Array<string>(20).fill('127.0.0.1'));
  assert.equal(asked, 10);
});
