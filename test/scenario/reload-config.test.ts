// SIGHUP and `weir config apply`: the new config without a dropped request, or the old one with the reason.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { exchange, startAppliance, type Appliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { named, startOrigin } from '../support/origin.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';
import { freePort } from '../support/free-port.ts';

const newestEvents = async (appliance: Appliance): Promise<string> => (await appliance.events()).map(({ text }) => text).join('\n');

test('a reload under load drops no request and brings the new config into service', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const three = await startOrigin(t, named('three'));
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const load = new Load(appliance, { clients: 6, keepAlive: true });
  const fresh = new Load(appliance, { clients: 2, keepAlive: false });
  await until(() => load.answered > 20, 'the load runs');

  for (let round = 1; round <= 3; round += 1) {
    const generation = (await appliance.status()).generation;
    const route = `  - { name: extra-${round}, match: { path: /extra-${round} }, service: other }\n`;
    appliance.rewrite((text) =>
      (round === 1
        ? text
            .replace('services:\n', `services:\n  other: { versions: { only: { clusters: { three: {} } } } }\n`)
            .replace('clusters:\n  one', `clusters:\n  three: { endpoints: ["${three.endpoint}"] }\n  one`)
        : text
      ).concat(route),
    );
    appliance.signal('SIGHUP');
    await until(async () => (await appliance.status()).generation > generation, `reload ${round} is in service`, 10_000);
    assert.equal((await appliance.get(`/extra-${round}`)).body, 'three');
  }

  await Promise.all([load.stop(), fresh.stop()]);
  assert.deepEqual([...load.failures, ...fresh.failures], []);
});

test('a config with a mistake leaves the one before in service and says what is wrong', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  appliance.rewrite((text) => text.replace('split:', 'splitt:'));
  appliance.signal('SIGHUP');
  const told = async (): Promise<boolean> => /splitt.*did you mean "split"/.test((await appliance.status()).degraded.join('\n'));
  await until(told, 'the status names the mistake');

  const { generation, revision } = await appliance.status();
  assert.deepEqual([generation, revision], [1, 1]);
  assert.equal((await appliance.get()).status, 200);
  assert.match(await newestEvents(appliance), /the one before stays/);

  appliance.rewrite((text) => text.replace('splitt:', 'split:'));
  appliance.signal('SIGHUP');
  await until(async () => (await appliance.status()).degraded.length === 0, 'all is well again');
});

test('a listener whose port is taken brings every worker back to the config before', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const appliance = await startAppliance(t, { yaml, untilProbed: true });

  appliance.rewrite((text) => text.replace('listeners: {', `listeners: { more: { bind: "127.0.0.1:${port}" },`));
  appliance.signal('SIGHUP');
  const told = async (): Promise<boolean> => (await appliance.status()).degraded.some((line) => line.includes(String(port)));
  await until(told, 'the status names the port', 15_000);
  await until(async () => (await appliance.status()).workersReady === 2, 'both workers serve the config before', 10_000);
  assert.equal((await appliance.get()).status, 200);
});

test('a listener that moves is served at its new address and refused at the old one', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const port = await freePort();
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const moved = new URL(`http://127.0.0.1:${port}`);
  appliance.rewrite((text) => text.replace(/listeners: .*/, `listeners: { web: { bind: "127.0.0.1:${port}" } }`));
  appliance.signal('SIGHUP');
  const inService = async (): Promise<boolean> => {
    const { generation, workersReady } = await appliance.status();
    return generation === 2 && workersReady === 2;
  };
  await until(inService, 'both workers serve at the new address', 10_000);
  for (let count = 0; count < 8; count += 1) assert.equal((await exchange(moved, { agent: false })).status, 200);
  const refused = async (): Promise<boolean> => {
    const outcome: unknown = await appliance.get().catch((error: unknown) => error);
    return outcome instanceof Error && 'code' in outcome && outcome.code === 'ECONNREFUSED';
  };
  await until(refused, 'the old address is closed', 10_000);
});

test('config apply is taken over and kept over a restart of the controller, until the file changes', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const applied = join(appliance.directory, 'applied.yaml');
  const withRoute = (await appliance.weir('config', 'print')).stdout.concat('  - { name: more, match: { path: /more }, service: shop }\n');
  writeFileSync(applied, withRoute);
  const dryRun = await appliance.weir('config', 'apply', applied, '--dry-run');
  assert.equal(dryRun.code, 10, dryRun.stderr);
  assert.match(dryRun.stdout, /route more added/);
  const apply = await appliance.weir('config', 'apply', applied);
  assert.equal(apply.code, 0, apply.stderr);
  const routes = async (): Promise<string> => (await appliance.weir('get', 'routes')).stdout;
  assert.match(await routes(), /^more\b/m);

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const back = async (): Promise<boolean> =>
    appliance.pids().controller !== killed && (await appliance.status().catch(() => null)) !== null;
  await until(back, 'another controller answers', 20_000);
  assert.match(await routes(), /^more\b/m);

  appliance.rewrite((text) => text.concat('  - { name: from-file, match: { path: /file }, service: shop }\n'));
  appliance.signal('SIGHUP');
  await until(async () => (await routes()).includes('from-file'), 'the file is served');
  assert.doesNotMatch(await routes(), /^more\b/m);
});

test('a controller that starts while the file is broken serves what was served before, and says so', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  appliance.rewrite((text) => text.replace('routes:', 'rotes:'));
  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const told = async (): Promise<boolean> => {
    const status = await appliance.status().catch(() => null);
    return status !== null && appliance.pids().controller !== killed && status.degraded.some((line) => line.includes('rotes'));
  };
  await until(told, 'another controller answers, and names the mistake', 20_000);
  assert.equal((await appliance.get()).status, 200);
  assert.equal((await appliance.status()).generation, 1);

  appliance.rewrite((text) => text.replace('rotes:', 'routes:'));
  appliance.signal('SIGHUP');
  await until(async () => (await appliance.status()).degraded.length === 0, 'all is well again', 10_000);
});

test('more and fewer workers come with a reload', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  for (const workers of [3, 1]) {
    appliance.rewrite((text) => text.replace(/workers: \d/, `workers: ${workers}`));
    appliance.signal('SIGHUP');
    await until(() => appliance.pids().workers.length === workers, `${workers} workers run`, 20_000);
    await until(async () => (await appliance.status()).workersReady === workers, `${workers} workers are ready`, 20_000);
    assert.equal((await appliance.get()).status, 200);
  }
});
