// The circuit of a version in a cluster, through a worker: what opens it, where requests go meanwhile, and how they return.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startOrigin } from '../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const circuit = { minRequests: 10, open: '200ms', maxOpen: '200ms', trials: 2 };

const ask = async (proxy: Proxy): Promise<string> => {
  const answer = await fetch(proxy.url);
  return `${answer.status} ${await answer.text()}`;
};

const openings = (proxy: Proxy): readonly string[] =>
  proxy.said.flatMap((message) => (message.type === 'ejection' ? [message.ejection.reason] : []));

test('answers that failed open it; the other cluster takes over, and the first gets its share back when trials have succeeded', async (t) => {
  let status = 500;
  const failing = await startOrigin(t, (_request, response) => response.writeHead(status).end('one'));
  const other = await startOrigin(t, (_request, response) => response.end('two'));
  const proxy = await startProxy(t, {
    endpoints: [failing.endpoint],
    clusters: { two: { endpoints: [other.endpoint], health: 'none' } },
    service: { circuit, versions: { blue: { clusters: { one: { weight: 99 }, two: { weight: 1 } } } } },
  });
  while (failing.requests.length < 10) await ask(proxy);
  await until(async () => (await ask(proxy)) === '200 two', 'the other cluster');
  await until(() => openings(proxy).length === 1, 'the opening');
  assert.match(openings(proxy)[0] ?? '', /the circuit opened, as too much failed; last: answered 500/);
  // A trial fails, and it opens again.
  const before = failing.requests.length;
  while (failing.requests.length === before) await ask(proxy);
  await until(() => openings(proxy).length === 2, 'the second opening');
  status = 200;
  await until(async () => (await ask(proxy)) === '200 one', 'a trial that succeeds');
  const closings = (): number => countOf(proxy, 'weir_circuit_changes_total', 'closed');
  await until(async () => (await ask(proxy)) !== '' && closings() === 1, 'the closing');
  const after: string[] = [];
  for (let i = 0; i < 50; i += 1) after.push(await ask(proxy));
  assert.ok(after.filter((answer) => answer === '200 one').length >= 48);
});

test('connections that fail open it too, and with nowhere else to go requests are answered at once', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('one'));
  await origin.kill();
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    cluster: { outlier: { consecutive: 1000, minRequests: 1000 } },
    service: { circuit: { ...circuit, open: '60s', maxOpen: '60s' }, retries: { attempts: 0 } },
  });
  const statuses: string[] = [];
  for (let i = 0; i < 12; i += 1) statuses.push((await ask(proxy)).slice(0, 3));
  assert.deepEqual(statuses.slice(0, 10), Array<string>(10).fill('502'));
  assert.deepEqual(statuses.slice(10), ['503', '503']);
});

test('clients that make mistakes, and services without a circuit, open none', async (t) => {
  const origin = await startOrigin(t, (request, response) => response.writeHead(Number(request.url?.slice(1))).end());
  for (const [service, path] of [
    [{ circuit }, '404'],
    [{ circuit: { ...circuit, statuses: '503' } }, '500'],
    [{}, '500'],
  ] as const) {
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service });
    for (let i = 0; i < 30; i += 1) assert.equal((await fetch(`${proxy.url}/${path}`)).status, Number(path));
  }
});
