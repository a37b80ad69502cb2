// More requests at once than an endpoint may have connections: they go where there are some, else they stand in line for a moment, and nothing is refused that can be served.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { exchange, type Answer } from '../../support/appliance.ts';
import { startHeldOrigin } from '../../support/held-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const ask = ({ url }: Proxy): Promise<Answer> => exchange(new URL(url), { agent: false });
const queued = (proxy: Proxy, outcome: string, count: number): Promise<void> =>
  until(() => countOf(proxy, 'weir_upstream_queue_total', 'one', outcome) === count, `${count} are counted as ${outcome}`);
const statusesOf = (answers: readonly Answer[]): readonly number[] => answers.map(({ status }) => status);

test('a burst is served over as few as there may be', async (t) => {
  let open = 0;
  let most = 0;
  const origin = await startOrigin(t, (_request, response) => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      response.end('served');
    });
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { maxConnections: 3 } });
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask(proxy)));
  assert.ok(statusesOf(answers).every((status) => status === 200));
  assert.ok(most <= 3, `${most} at once`);
  await until(() => countOf(proxy, 'weir_upstream_queue_total', 'one', 'admitted') > 0, 'those that waited are counted');
});

test('who stands in line for longer than a connection may take is refused, and the others go on', async (t) => {
  const origin = await startHeldOrigin(t, 'one');
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { maxConnections: 1, connectTimeout: '300ms' } });
  const first = ask(proxy);
  await until(() => origin.held === 1, 'the first has arrived');
  const refused = await ask(proxy);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
  assert.match(refused.body, /"code":"overloaded"/);
  assert.equal(origin.held, 1);
  await queued(proxy, 'expired', 1);
  const next = ask(proxy);
  origin.release();
  assert.equal((await first).status, 200);
  await until(() => origin.held === 1, 'the next has arrived');
  origin.release();
  assert.equal((await next).status, 200);
});

test('no more stand in line than sixteen times the connections', async (t) => {
  const origin = await startHeldOrigin(t, 'one');
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { maxConnections: 1, connectTimeout: '10s' } });
  const first = ask(proxy);
  await until(() => origin.held === 1, 'the first has arrived');
  const refused: Answer[] = [];
  const asked = Array.from({ length: 19 }, async () => {
    const answer = await ask(proxy);
    if (answer.status === 503) refused.push(answer);
    return answer;
  });
  await until(() => refused.length === 3, 'all have come, and three found no place');
  for (let answered = 0; answered < 17; answered += 1) {
    await until(() => origin.held === 1, 'the next has arrived');
    origin.release();
  }
  await Promise.all([first, ...asked]);
  assert.equal(refused.length, 3);
  await queued(proxy, 'refused', 3);
  await queued(proxy, 'admitted', 16);
});

test('where another endpoint has some nobody waits', async (t) => {
  const full = await startHeldOrigin(t, 'full');
  const free = await startOrigin(t, (_request, response) => void response.end('free'));
  const cluster = { maxConnections: 1, connectTimeout: '10s', balance: 'round-robin' };
  const proxy = await startProxy(t, { endpoints: [full.endpoint, free.endpoint], cluster });
  const held = Promise.all([ask(proxy), ask(proxy)]);
  await until(() => full.held === 1, 'one endpoint has all it may');
  for (let request = 0; request < 8; request += 1) assert.equal((await ask(proxy)).body, 'free');
  full.release();
  await held;
});

test('where another cluster has some nobody waits', async (t) => {
  const full = await startHeldOrigin(t, 'full');
  const free = await startOrigin(t, (_request, response) => void response.end('free'));
  const proxy = await startProxy(t, {
    endpoints: [full.endpoint],
    cluster: { maxConnections: 1, connectTimeout: '10s' },
    clusters: { two: { endpoints: [free.endpoint], health: 'none' } },
    service: { versions: { blue: { clusters: { one: { weight: 1 }, two: { weight: 1 } } } } },
  });
  const asked = Array.from({ length: 12 }, () => ask(proxy));
  await until(() => full.held === 1, 'one cluster has all it may');
  const bodies = new Set((await Promise.all(Array.from({ length: 12 }, () => ask(proxy)))).map(({ body }) => body));
  assert.deepEqual([...bodies], ['free']);
  full.release();
  assert.ok(statusesOf(await Promise.all(asked)).every((status) => status === 200));
});

test('nobody is moved to another version for it', async (t) => {
  const full = await startHeldOrigin(t, 'blue');
  const free = await startOrigin(t, (_request, response) => void response.end('green'));
  const proxy = await startProxy(t, {
    endpoints: [full.endpoint],
    cluster: { maxConnections: 1, connectTimeout: '10s' },
    clusters: { two: { endpoints: [free.endpoint], health: 'none' } },
    service: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }, split: { blue: 75, green: 25 } },
  });
  const answers: string[] = [];
  const asked = Array.from({ length: 16 }, async () => answers.push((await ask(proxy)).body));
  while (answers.length < asked.length) {
    await until(() => full.held === 1 || answers.length === asked.length, 'another one has arrived');
    full.release();
  }
  const green = answers.filter((body) => body === 'green').length;
  assert.ok(green >= 2 && green <= 7, `${green} of 16 at a quarter`);
});

test('who leaves the line is not sent', async (t) => {
  const origin = await startHeldOrigin(t, 'one');
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { maxConnections: 1, connectTimeout: '10s' } });
  const first = ask(proxy);
  await until(() => origin.held === 1, 'the first has arrived');
  const client = connect(proxy.port, '127.0.0.1');
  client.write('GET /left HTTP/1.1\r\nhost: a\r\n\r\n');
  const last = ask(proxy);
  await until(() => proxy.gauge('weir_requests_in_flight') === 3, 'all are in work');
  client.resetAndDestroy();
  await until(() => proxy.gauge('weir_requests_in_flight') === 2, 'one has left');
  await queued(proxy, 'left', 1);
  origin.release();
  assert.equal((await first).status, 200);
  await until(() => origin.held === 1, 'the last has arrived');
  origin.release();
  assert.equal((await last).status, 200);
  assert.equal(origin.cut, 0);
});
