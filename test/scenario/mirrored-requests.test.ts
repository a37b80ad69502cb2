// Copies of requests on a real appliance: users never notice them, whatever the version that gets them does; what differs is found, and ends a rollout.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { PacedLoad, type Paced } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

/** What the version does with copies. */
type Mood = 'answers' | 'hangs' | 'floods';

interface Fleet {
  readonly appliance: Appliance;
  readonly green: Origin;
  readonly be: (mood: Mood) => void;
}

async function startFleet(t: TestContext, mirror: string): Promise<Fleet> {
  let mood: Mood = 'answers';
  let answered = 0;
  const blue = await startOrigin(t, (request, response) => response.end(bodyOf(request, 'blue', 0)));
  const green = await startOrigin(t, (request, response) => {
    if (mood === 'hangs') return;
    if (mood === 'floods') return flood(response);
    answered += 1;
    response.end(bodyOf(request, 'green', answered));
  });
  const yaml = `clusters:
  east: { endpoints: ["${blue.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } }
  west: { endpoints: ["${green.endpoint}"], health: { tcp: true, interval: 60s } }
services:
  shop:
    versions: { blue: { clusters: { east: {} } }, green: { clusters: { west: {} } } }
    split: { blue: 100, green: 0 }
    mirror: ${mirror}
  plain: { versions: { blue: { clusters: { east: {} } } } }
routes: [ { service: shop }, { service: plain, match: { path: /plain } } ]
`;
  const appliance = await startAppliance(t, { yaml, workers: 2, untilProbed: true });
  return { appliance, green, be: (next) => (mood = next) };
}

/** `/price` is where the versions differ; `at` differs always. */
function bodyOf({ url }: IncomingMessage, version: string, at: number): string {
  return JSON.stringify({ items: [{ name: 'tea', price: url === '/price' && version === 'green' ? 2 : 1, at }] });
}

/** Megabytes, as fast as they are taken. */
function flood(response: ServerResponse): void {
  const chunk = Buffer.alloc(64 * 1024);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write).on('error', () => undefined);
  write();
}

/** `plain`: of the same time, of a service that copies nothing. */
function unharmed(answers: readonly Paced[], plain: readonly Paced[]): void {
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.ok(answers.every(({ body }) => body === '{"items":[{"name":"tea","price":1,"at":0}]}'));
  // Copies that hang take 2 s.
  assert.ok(p95Of(answers) < p95Of(plain) + 250, `${p95Of(answers)} ms, without copies ${p95Of(plain)} ms`);
}

function p95Of(answers: readonly Paced[]): number {
  const took = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return took[Math.floor(took.length * 0.95)] ?? 0;
}

test('users never notice copies', async (t) => {
  const { appliance, green, be } = await startFleet(t, '{ to: green, percent: 100%, concurrency: 4, timeout: 2s }');
  const outcome = (name: string): Promise<number> => appliance.metricSum('weir_mirror_requests_total', { version: 'green', outcome: name });
  const under = async (ended: () => Promise<boolean>, what: string): Promise<void> => {
    const [load, plain] = [new PacedLoad(t, appliance.url(), 80), new PacedLoad(t, `${appliance.url()}/plain`, 80)];
    await until(ended, what, 20_000);
    unharmed(await load.stop(), await plain.stop());
  };

  await t.test('copies are marked, and the version sees who asked', async () => {
    assert.equal((await appliance.get('/a', { headers: { cookie: 'uid=1', 'x-weir-mirror': '1' } })).status, 200);
    await until(() => green.requests.length === 1, 'the copy has come');
    const [copy] = green.requests;
    assert.deepEqual([copy?.url, copy?.headers['x-weir-mirror'], copy?.headers.cookie], ['/a', '1', 'uid=1']);
    assert.equal((await appliance.get('/b', { method: 'POST' })).status, 200);
    assert.equal(green.requests.length, 1, 'what is not safe is not copied');
  });

  await t.test('while it hangs: copies above the bound are dropped, the others end in their time', async () => {
    be('hangs');
    await under(async () => (await outcome('late')) >= 4, 'copies are late');
    assert.ok((await appliance.metricSum('weir_mirror_dropped_total', { reason: 'concurrency' })) > 50);
  });

  await t.test('while it floods: no more is read than a bound', async () => {
    be('floods');
    await under(async () => (await outcome('too_long')) >= 20, 'answers are too long');
  });

  await t.test('while it is dead: copies are lost', async () => {
    be('answers');
    await green.kill();
    await under(async () => (await outcome('lost')) >= 20, 'copies are lost');
    const ejected = (await appliance.events()).filter(({ kind }) => kind === 'ejection');
    assert.deepEqual(ejected, [], 'no copy ejects anything');
  });

  assert.deepEqual(
    (await appliance.status()).services.find(({ name }) => name === 'shop')?.targets.map(({ observedShare }) => observedShare),
    [1, 0],
  );
  assert.equal(await appliance.metricSum('weir_upstream_lost_tries_total', { version: 'green' }), 0);
});

test('answers are compared', async (t) => {
  const { appliance } = await startFleet(t, '{ to: green, percent: 100%, concurrency: 64, compare: { ignore: [/items/*/at] } }');
  const compared = (outcome: string): Promise<number> =>
    appliance.metricSum('weir_mirror_comparisons_total', { version: 'green', outcome });

  await t.test('what may differ is ignored, and what may not is found', async () => {
    for (let one = 0; one < 20; one += 1) await appliance.get('/');
    await until(async () => (await compared('same')) === 20, 'twenty answers are the same');
    for (let one = 0; one < 5; one += 1) await appliance.get('/price');
    await until(async () => (await compared('body')) === 5, 'five bodies differ');
    assert.equal(await compared('same'), 20);
    const { stdout } = await appliance.weir('describe', 'service', 'shop');
    assert.match(stdout, /^ +VERSION .* COPIES +DIFFER$/m);
    assert.match(stdout, /^ +green .* 25 +5: 20% \[8\.86%, 39\.13%\]$/m, stdout);
  });

  await t.test('a rollout to a version whose answers are the same goes all the way', async () => {
    const load = new PacedLoad(t, appliance.url(), 100);
    const args = ['--steps', '10,100', '--hold', '1s', '--min-requests', '10', '--gate', 'mirror-diff<5%', '--wait', '--yes'];
    const { code, stderr } = await appliance.weir('canary', 'start', 'shop', '--to', 'green', ...args);
    assert.equal(code, 0, stderr);
    await load.stop();
  });

  await t.test('one to a version whose answers differ goes back', async () => {
    assert.equal((await appliance.weir('undo', '--yes')).code, 0);
    const load = new PacedLoad(t, `${appliance.url()}/price`, 60);
    const args = ['--steps', '10,100', '--hold', '1s', '--min-requests', '10', '--gate', 'mirror-diff<1%', '--wait', '--yes'];
    const { code, stderr } = await appliance.weir('canary', 'start', 'shop', '--to', 'green', ...args);
    assert.equal(code, 9, stderr);
    assert.match(stderr, /rolled back: gate mirror-diff<1%: \d+ of \d+ compared answers differ/);
    await load.stop();
  });
});
