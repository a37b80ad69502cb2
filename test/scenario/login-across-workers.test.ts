// People sign in over TLS at an edge host with two workers: what one worker has begun another one ends, and a session outlives the worker that made it.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { Browser } from '../support/browser.ts';
import { makeCertificate } from '../support/certificates.ts';
import { aSealKey, seenBy } from '../support/login-route.ts';
import { CLIENT, CLIENT_SECRET, startOidcProvider, type OidcProvider } from '../support/oidc-provider.ts';
import { startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

interface Host {
  readonly appliance: Appliance;
  readonly provider: OidcProvider;
  readonly url: (path: string) => string;
}

async function startHost(t: TestContext): Promise<Host> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-login-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [site, other] = ['site', 'provider'].map((file) => makeCertificate(directory, { names: ['127.0.0.1'], file }));
  assert.ok(site !== undefined && other !== undefined);
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const provider = await startOidcProvider(t, { tls: { cert: other.pem, key: readFileSync(other.key, 'utf8') } });
  const origin = await startOrigin(t, (request, response) => response.end(JSON.stringify({ url: request.url, ...request.headers })));
  const yaml = `listeners: { tls: { bind: "127.0.0.1:0", tls: { certificates: [{ cert: "${site.cert}", key: "${site.key}" }] } } }
clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
consumers: { acme: { subjects: [anna] } }
issuers: { staff: { issuer: "${provider.issuer}", keys: { url: "${provider.issuer}/keys", ca: "${other.cert}" } } }
routes:
  - service: shop
    filters:
      - login:
          issuer: staff
          client: ${CLIENT}
          secret: { file: "${file('secret', CLIENT_SECRET)}" }
          ca: "${other.cert}"
          session: { keys: { file: "${file('session.keys', `${aSealKey()}\n`)}" } }
      - authorize: { rules: [{ consumers: [acme] }] }
`;
  const appliance = await startAppliance(t, { yaml, workers: 2, untilProbed: true });
  return { appliance, provider, url: (path) => `https://127.0.0.1:${appliance.port('tls')}${path}` };
}

/** Kills the workers there are; resolves when as many others serve. */
async function replaceWorkers({ appliance, url }: Host): Promise<void> {
  const before = new Set(appliance.pids().workers);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  const areReplaced = (): boolean => {
    const { workers } = appliance.pids();
    return workers.length === before.size && workers.every((pid) => !before.has(pid));
  };
  await until(areReplaced, 'other workers are there', 20_000);
  const serves = (): Promise<boolean> =>
    new Browser().fetch(url('/')).then(
      ({ status }) => status === 401,
      () => false,
    );
  for (let times = 0; times < 8; times += 1) await until(serves, 'they serve', 20_000);
}

test('logins go from worker to worker', async (t) => {
  const host = await startHost(t);
  const { url, provider, appliance } = host;
  const browser = new Browser();

  await t.test('every request of a login, and after it, comes over a connection of its own', async () => {
    for (let person = 0; person < 12; person += 1) {
      const one = new Browser();
      const page = await one.visit(url(`/orders?person=${person}`));
      assert.deepEqual([page.status, seenBy(page)['url'], seenBy(page)['x-consumer']], [200, `/orders?person=${person}`, 'acme']);
      for (let times = 0; times < 4; times += 1) assert.equal((await one.fetch(url('/'))).status, 200);
    }
    const completed = (): Promise<boolean> =>
      appliance.metricSum('weir_logins_total', { outcome: 'completed' }).then((count) => count === 12);
    await until(completed, 'all are counted');
  });

  await t.test('a refresh token is used once, to whichever workers the requests of a session come', async () => {
    const refreshes = (): number => provider.asked.filter((form) => form['grant_type'] === 'refresh_token').length;
    for (let person = 1; person <= 10; person += 1) {
      provider.expiresS = 20;
      const one = new Browser();
      await one.visit(url('/'));
      const before = refreshes();
      provider.expiresS = 300;
      const copies = Array.from({ length: 12 }, () => one.copy());
      const pages = await Promise.all(copies.map((copy) => copy.fetch(url('/'))));
      assert.deepEqual(new Set(pages.map(({ status }) => status)), new Set([200]), `person ${person}`);
      for (let late = 0; late < 4; late += 1) assert.equal((await one.copy().fetch(url('/'))).status, 200, 'with the cookie from before');
      for (const copy of copies) assert.deepEqual([(await copy.fetch(url('/'))).status, copy.names], [200, ['__Host-weir_session']]);
      assert.equal(refreshes(), before + 1);
    }
  });

  await t.test('a login that workers began who are gone is ended by others, and a session that they made holds', async () => {
    const kept = new Browser();
    await kept.visit(url('/'));
    const begun = await browser.step(url('/cart?a=b'));
    assert.deepEqual([begun.status, begun.url.protocol], [302, 'https:']);
    await replaceWorkers(host);
    const back = await browser.step(begun.headers.location ?? '');
    const page = await browser.visit(back.headers.location ?? '');
    assert.deepEqual([page.status, seenBy(page)['url'], seenBy(page)['cookie']], [200, '/cart?a=b', undefined]);
    assert.deepEqual(browser.names, ['__Host-weir_session']);
    assert.match(browser.cookies.get('__Host-weir_session')?.attributes ?? '', /; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    for (let times = 0; times < 8; times += 1) assert.equal((await kept.fetch(url('/'))).status, 200);
  });

  await t.test('signing out leads over the provider', async () => {
    const page = await browser.step(url('/logout'), 'same-origin');
    const location = new URL(page.headers.location ?? '');
    assert.deepEqual(
      [page.status, location.origin, location.pathname, browser.names],
      [303, provider.issuer, '/bye', ['__Host-weir_session.out']],
    );
  });
});
