// Requests above what all places of a service can take: the excess of the lowest class is refused, exactly, and told when to come again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepClients } from '../../support/kept-clients.ts';
import { named, startOrigin } from '../../support/origin.ts';
import { countOf, startProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const EACH = 400;

test('a quarter too much costs the lower of two equal classes one half, and the higher one nothing', async (t) => {
  const origin = await startOrigin(t, named('origin'));
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    cluster: { capacity: { rps: 75 } },
    routes: [
      { name: 'shop', service: 'shop', match: { path: '/shop' } },
      { name: 'batch', service: 'shop', match: { path: '/batch' }, priorityClass: 'low' },
    ],
    demand: { demand: { shop: 100 }, classDemand: { shop: { normal: 50, low: 50 } } },
  });
  const clients = keepClients(t, proxy.url, 4);
  const [shop, batch] = await Promise.all([clients.ask(EACH, { path: '/shop' }), clients.ask(EACH, { path: '/batch' })]);
  assert.equal(shop.filter(({ status }) => status === 200).length, EACH);
  const refused = batch.filter(({ status }) => status === 503);
  // A worker owes each side less than one request.
  assert.ok(Math.abs(refused.length - EACH / 2) <= 1, `${refused.length} of ${EACH} refused`);
  assert.equal(origin.requests.length, 2 * EACH - refused.length);
  assert.match(refused[0]?.body ?? '', /"code":"overloaded"/);
  const answer = await fetch(`${proxy.url}/batch`).then(async (first) => (first.status === 503 ? first : fetch(`${proxy.url}/batch`)));
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '1']);
  await until(() => countOf(proxy, 'weir_local_replies_total', 'overloaded') === refused.length + 1, 'they are counted');
});

test('with spread nothing is refused', async (t) => {
  const origin = await startOrigin(t, named('origin'));
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    cluster: { capacity: { rps: 10 } },
    service: { steer: { overload: 'spread' } },
    demand: { demand: { shop: 100 } },
  });
  const answers = await keepClients(t, proxy.url, 4).ask(100);
  assert.ok(answers.every(({ status }) => status === 200));
});
