// A client resumes its TLS session with whatever worker it meets: over reloads and restarts of the controller, until the key is replaced.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startOrigin } from '../support/origin.ts';
import { visit, type TlsVisit, type VisitOptions } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const MANY = 60;

interface Scene {
  readonly appliance: Appliance;
  /** Which worker served, told by the prefix of its request ids. */
  readonly visitOf: (options: Partial<VisitOptions>) => Promise<TlsVisit & { readonly worker: string }>;
}

async function scene(t: TestContext, more = ''): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-resume-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const name of ['first.example', 'second.example']) makeCertificate(directory, { names: [name] });
  const origin = await startOrigin(t, (request, response) => response.end(String(request.headers['x-request-id']).split('-')[0]));
  const pair = (name: string): string => `{ cert: "${directory}/${name}.crt", key: "${directory}/${name}.key" }`;
  const certificates = `certificates: [${pair('first.example')}, ${pair('second.example')}]`;
  const yaml = `listeners:
  secure: { bind: "127.0.0.1:0", tls: { ${certificates} } }
  other: { bind: "127.0.0.1:0", tls: { ${certificates} } }
${more}clusters:
  east: { endpoints: ["${origin.endpoint}"] }
services:
  demo: { versions: { blue: { clusters: { east: {} } } } }
routes:
  - { service: demo }
`;
  const appliance = await startAppliance(t, { yaml, workers: 2 });
  const visitOf: Scene['visitOf'] = async (options) => {
    const seen = await visit({ port: appliance.port('secure'), ...options });
    return { ...seen, worker: seen.body.trim().slice(-24) };
  };
  return { appliance, visitOf };
}

/** Brings one session again and again until two workers have served it; says which of the visits were resumed. */
async function resumedWithBoth(on: Scene, options: Partial<VisitOptions>): Promise<readonly boolean[]> {
  const first = await on.visitOf(options);
  const workers = new Set([first.worker]);
  const reused: boolean[] = [];
  for (let count = 0; count < MANY && workers.size < 2; count += 1) {
    const again = await on.visitOf({ ...options, session: first.session });
    workers.add(again.worker);
    reused.push(again.reused);
  }
  assert.equal(workers.size, 2, 'both workers were met');
  return reused;
}

const kept = (appliance: Appliance): string => readFileSync(join(appliance.directory, 'state', 'ticket.key'), 'utf8');

test('sessions are resumed with every worker', async (t) => {
  const on = await scene(t);
  for (const version of VERSIONS) {
    const options = { minVersion: version, maxVersion: version };
    for (const [servername, listener] of [
      ['first.example', 'secure'],
      ['second.example', 'secure'],
      ['second.example', 'other'],
      [undefined, 'secure'],
    ] as const) {
      await t.test(`${version}, ${servername ?? 'without a name'} at ${listener}`, async () => {
        const named = servername === undefined ? options : { ...options, servername };
        const reused = await resumedWithBoth(on, { ...named, port: on.appliance.port(listener) });
        assert.ok(reused.every(Boolean), JSON.stringify(reused));
      });
    }

    await t.test(`${version}: a session of one listener is none of another`, async () => {
      const { session } = await on.visitOf(options);
      assert.equal((await on.visitOf({ ...options, session })).reused, true);
      assert.equal((await on.visitOf({ ...options, session, port: on.appliance.port('other') })).reused, false);
    });

    await t.test(`${version}: a reload that changes nothing of TLS leaves sessions as they are`, async () => {
      const { session } = await on.visitOf({ ...options, servername: 'second.example' });
      const { generation } = await on.appliance.status();
      const more = `  - { name: more-${generation}, match: { path: /more-${generation} }, service: demo }\n`;
      on.appliance.rewrite((text) => text + more);
      on.appliance.signal('SIGHUP');
      await until(async () => (await on.appliance.status()).generation > generation, 'the reload is in service', 10_000);
      const workers = new Set<string>();
      for (let count = 0; count < MANY && workers.size < 2; count += 1) {
        const { reused, worker } = await on.visitOf({ ...options, servername: 'second.example', session });
        assert.equal(reused, true);
        workers.add(worker);
      }
      assert.equal(workers.size, 2);
    });
  }

  await t.test('with other rules for TLS nothing from before is resumed, and what is new is', async () => {
    const before = await Promise.all(VERSIONS.map((version) => on.visitOf({ minVersion: version, maxVersion: version })));
    const { generation } = await on.appliance.status();
    on.appliance.rewrite((text) =>
      text.replace('tls: { certificates', 'tls: { ciphers: [TLS_AES_128_GCM_SHA256, ECDHE-ECDSA-AES128-GCM-SHA256], certificates'),
    );
    on.appliance.signal('SIGHUP');
    await until(async () => (await on.appliance.status()).generation > generation, 'the reload is in service', 10_000);
    for (const { protocol, session } of before) {
      const version = protocol === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3';
      const options = { minVersion: version, maxVersion: version } as const;
      assert.equal((await on.visitOf({ ...options, session })).reused, false);
      assert.ok((await resumedWithBoth(on, options)).every(Boolean));
    }
  });
});

test('a worker and a controller that are killed come back to the same key', async (t) => {
  const on = await scene(t);
  const { appliance } = on;
  const { session } = await on.visitOf({ servername: 'first.example' });
  const key = kept(appliance);

  const before = appliance.pids();
  process.kill(before.controller, 'SIGKILL');
  assert.equal((await on.visitOf({ servername: 'first.example', session })).reused, true, 'while there is no controller');
  await until(() => ![0, before.controller].includes(appliance.pids().controller), 'another controller runs', 20_000);
  await until(async () => (await appliance.status().catch(() => null)) !== null, 'it answers', 20_000);
  for (const pid of before.workers) process.kill(pid, 'SIGKILL');
  const replaced = (): boolean => appliance.pids().workers.filter((pid) => !before.workers.includes(pid)).length === 2;
  await until(replaced, 'other workers run', 20_000);
  await until(async () => (await appliance.metricSum('weir_workers_ready')) === 2, 'they are ready', 20_000);

  assert.equal((await on.visitOf({ servername: 'first.example', session })).reused, true, 'with all new processes');
  assert.equal(kept(appliance), key);
  assert.equal(statSync(join(appliance.directory, 'state', 'ticket.key')).mode & 0o777, 0o600);
  const secret = (JSON.parse(key) as { readonly key: string }).key;
  assert.ok(!appliance.log.includes(secret), 'nothing of it is in the log');
});

test('after the key was replaced a client makes one full handshake, and resumes from then on', async (t) => {
  const on = await scene(t, 'sessionTickets: { rotate: 168h }\n');
  const before = await Promise.all(VERSIONS.map((version) => on.visitOf({ minVersion: version, maxVersion: version })));
  const key = kept(on.appliance);
  // The key is older than the new period by then.
  const { madeAtMs } = JSON.parse(key) as { readonly madeAtMs: number };
  await until(() => Date.now() - madeAtMs > 1000, 'a second has passed', 5000);
  on.appliance.rewrite((text) => text.replace('rotate: 168h', 'rotate: 1s'));
  on.appliance.signal('SIGHUP');
  await until(() => kept(on.appliance) !== key, 'the key is another', 10_000);
  on.appliance.rewrite((text) => text.replace('rotate: 1s', 'rotate: 168h'));
  on.appliance.signal('SIGHUP');
  let last = '';
  const settled = async (): Promise<boolean> => {
    const { session } = await on.visitOf({});
    const again = await on.visitOf({ session });
    const same = last === kept(on.appliance) && again.reused;
    last = kept(on.appliance);
    return same && (await on.appliance.status()).generation >= 3;
  };
  await until(settled, 'the key stays', 10_000);
  for (const { protocol, session } of before) {
    const version = protocol === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3';
    const options = { minVersion: version, maxVersion: version } as const;
    assert.equal((await on.visitOf({ ...options, session })).reused, false, `${version}: a ticket of the key before`);
    assert.ok((await resumedWithBoth(on, options)).every(Boolean), `${version}: with the new key`);
  }
});
