// Hosts of a fleet: what is asked of one is in force on all, what stands between them may go away, and nothing that was acknowledged is lost.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ChangeResult, EdgeView, EventView } from '../../balancer/controller/api/views.ts';
import { Appliance, startAppliance } from '../support/appliance.ts';
import { runWeir } from '../support/command.ts';
import { makeFleetKeys, redisOf, startFleetHost, type FleetKeys } from '../support/fleet-hosts.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** Beats are a second apart, and many processes of many tests share the machine. */
const SETTLE_MS = 20_000;

interface FleetUnderTest {
  readonly hosts: readonly [Appliance, Appliance, Appliance];
  readonly redis: RedisServer;
  readonly keys: FleetKeys;
  /** The fleet part of their config. */
  readonly yaml: string;
}

async function startFleet(t: TestContext): Promise<FleetUnderTest> {
  const redis = await startRedis(t);
  const { yaml } = await startTwoClusters(t);
  const keys = makeFleetKeys(t);
  const start = (name: string): Promise<Appliance> => startFleetHost(t, { name, yaml, redisPort: redis.port, keys, workers: 2 });
  const hosts = await Promise.all([start('edge-1'), start('edge-2'), start('edge-3')]);
  for (const host of hosts) await until(async () => (await edgesOf(host)).length === 3, 'all hosts know each other', SETTLE_MS);
  return { hosts, redis, keys, yaml };
}

async function listOf<T>(host: Appliance, ...what: readonly string[]): Promise<readonly T[]> {
  const { stdout, stderr, code } = await host.weir('get', ...what, '-o', 'json');
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { readonly items: readonly T[] }).items;
}

const edgesOf = (host: Appliance): Promise<readonly EdgeView[]> => listOf<EdgeView>(host, 'edges');

async function splitOf(host: Appliance): Promise<unknown> {
  return (await host.status()).services[0]?.split;
}

async function said(host: Appliance, what: RegExp): Promise<boolean> {
  return (await listOf<EventView>(host, 'events', '--limit', '500')).some(({ text }) => what.test(text));
}

/** What a shift of green comes to; `code`: what the command ends with. */
async function shift(host: Appliance, percent: number, code = 0): Promise<ChangeResult> {
  const result = await host.weir('shift', 'shop', `green=${percent}`, '--yes', '-o', 'json');
  assert.equal(result.code, code, result.stderr);
  return (JSON.parse(result.stdout) as { readonly items: readonly [ChangeResult] }).items[0];
}

async function servedBy(host: Appliance, percent: number): Promise<void> {
  await until(
    async () => JSON.stringify(await splitOf(host)) === JSON.stringify({ blue: 100 - percent, green: percent }),
    `green has ${percent} %`,
    SETTLE_MS,
  );
}

const isWell = ({ problem, silentMs }: EdgeView): boolean => problem === null && silentMs === null;

test('three hosts are one fleet', { timeout: 180_000 }, async (t) => {
  const { hosts, redis, keys, yaml } = await startFleet(t);
  const [one, two, three] = hosts;

  await t.test('what their files start with was recorded once, and one of them leads', async () => {
    const edges = await edgesOf(one);
    assert.deepEqual(new Set(edges.map(({ revision }) => revision)), new Set([1]));
    await until(async () => (await edgesOf(one)).filter(({ leads }) => leads).length === 1, 'one leads', SETTLE_MS);
  });

  await t.test('a shift that one was asked for is served by all within a second, and undone through another', async () => {
    const { applied } = await shift(two, 40);
    assert.deepEqual(applied?.fleet, { hosts: 3, acknowledged: 3, laggards: [] });
    assert.ok(applied.tookMs <= 1000, JSON.stringify(applied));
    for (const host of hosts) assert.deepEqual(await splitOf(host), { blue: 60, green: 40 });
    const undone = await three.weir('undo', '--yes');
    assert.equal(undone.code, 0, undone.stderr);
    for (const host of hosts) assert.deepEqual(await splitOf(host), { blue: 90, green: 10 });
    for (const host of hosts) assert.equal((await host.weir('audit', 'verify')).code, 0);
  });

  await t.test('a config that one was given is served by all, and a file that says something else has drifted', async () => {
    const before = readFileSync(one.configFile, 'utf8');
    const applied = await runWeir(['config', 'apply', '-'], {
      server: one.socketPath,
      stdin: before.replace('match: { path: / }', 'match: { path: /api }'),
    });
    assert.equal(applied.code, 0, applied.stderr);
    assert.match(applied.stdout, /served by 3\/3 hosts$/m);
    for (const host of hosts) {
      assert.equal((await host.get('/')).status, 404);
      assert.equal((await host.get('/api')).status, 200);
    }
    three.signal('SIGHUP');
    await until(
      () => said(three, /says something else than the fleet has agreed on: the fleet's is served/),
      'the drift is told',
      SETTLE_MS,
    );
    assert.equal((await three.get('/api')).status, 200);
    const back = await runWeir(['config', 'apply', '-'], { server: two.socketPath, stdin: before });
    assert.equal(back.code, 0, back.stderr);
    for (const host of hosts) assert.equal((await host.get('/')).status, 200);
  });

  await t.test('a host that hangs is named, holds nobody up, and comes after', async () => {
    const { controller } = three.pids();
    process.kill(controller, 'SIGSTOP');
    const { applied } = await shift(one, 30, 8);
    process.kill(controller, 'SIGCONT');
    assert.equal(applied?.fleet?.acknowledged, 2);
    assert.match(applied.fleet.laggards.join(), /^edge-3 \(/);
    assert.ok(applied.tookMs < 4000, `${applied.tookMs} ms`);
    await servedBy(three, 30);
  });

  await t.test('without Redis all serve on, a change is refused, and a host starts with what it knew', async () => {
    await redis.kill();
    const refused = await two.weir('shift', 'shop', 'green=50', '--yes');
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr, /the store of the fleet cannot be asked .*Traffic is served as before/);
    process.kill(three.pids().controller, 'SIGKILL');
    await until(() => said(three, /the controller is back/).catch(() => false), 'a new controller', SETTLE_MS);
    for (const host of hosts) {
      assert.equal((await host.get('/')).status, 200);
      assert.deepEqual(await splitOf(host), { blue: 70, green: 30 });
    }
  });

  await t.test('a host that is cut off is changed alone, holds that when the fleet is back, and gives it up when told to', async () => {
    const alone = await two.weir('shift', 'shop', 'green=0', '--local', '--reason', 'green is broken here');
    assert.equal(alone.code, 0, alone.stderr);
    assert.match(
      alone.stdout,
      /^local change 1, on edge-2 alone: shop: .*\nthis host alone, .*: applied on 2\/2 workers .*\nundo: weir local discard$/m,
    );
    assert.deepEqual(await splitOf(two), { blue: 100, green: 0 });
    assert.deepEqual(await splitOf(one), { blue: 70, green: 30 });
    assert.match((await two.weir('status')).stdout, /degraded: LOCAL: this host holds shop\.clusterSplits, shop\.split against its fleet/);
    assert.match(
      (await two.weir('history')).stdout,
      /LOCAL 1 .* shift shop green=0 +on edge-2 alone, not in the fleet: green is broken here$/m,
    );
    assert.equal(await two.metricSum('weir_local_changes'), 1);

    await redis.start();
    const known = async (): Promise<boolean> =>
      (await edgesOf(one)).some(({ name, localFields }) => name === 'edge-2' && localFields.includes('shop.split'));
    await until(known, 'the others know', SETTLE_MS);
    assert.match((await one.weir('get', 'edges')).stdout, /^edge-2 +divergent /m);
    await until(async () => (await edgesOf(two)).filter(isWell).length === 3, 'all is well again', SETTLE_MS);
    const refused = await two.weir('shift', 'shop', 'green=5', '--local');
    assert.equal(refused.code, 7, refused.stderr);
    const late = await shift(one, 50, 8);
    assert.deepEqual(late.applied?.fleet?.laggards, ['edge-2 (holds shop.split by a local change)']);
    assert.deepEqual(await splitOf(two), { blue: 100, green: 0 });
    const asked = await two.weir('local', 'merge');
    assert.equal(asked.code, 7, asked.stderr);
    assert.match(asked.stderr, /the fleet has changed the same since: shop\.split by revision \d+ of /);
    assert.equal((await two.weir('local', 'discard')).code, 0);
    await servedBy(two, 50);
    assert.deepEqual((await shift(two, 45)).applied?.fleet?.laggards, []);
    assert.deepEqual((await shift(two, 50)).applied?.fleet?.laggards, []);
  });

  await t.test('what Redis has lost, it is given back', async () => {
    const { revision } = await shift(one, 40);
    await redis.forget();
    const given = async (): Promise<boolean> => {
      const told = await Promise.all(hosts.map((host) => said(host, /had lost \d+ revisions and has them again/)));
      return told.includes(true);
    };
    await until(given, 'given back', SETTLE_MS);
    await until(async () => (await edgesOf(two)).filter(isWell).length === 3, 'all have announced themselves again', SETTLE_MS);
    assert.equal((await shift(two, 45)).revision, revision + 1);
    for (const host of hosts) {
      assert.deepEqual(await splitOf(host), { blue: 55, green: 45 });
      assert.equal((await host.weir('audit', 'verify')).code, 0);
    }
  });

  await t.test('who can write to Redis, and has no key, steers nothing', async () => {
    const cli = (...args: readonly string[]): string =>
      execFileSync('redis-cli', ['-p', String(redis.port), ...args], { encoding: 'utf8' }).trim();
    const revision = Number(cli('HGET', 'weir:{weir}:head', 'revision'));
    const genuine = cli('HGET', 'weir:{weir}:log', String(revision));
    // As good as a forgery gets without the key: a real signature, over what it was not made for.
    cli('HSET', 'weir:{weir}:log', String(revision + 1), genuine.replace('green', 'grown'));
    cli('HSET', 'weir:{weir}:head', 'revision', String(revision + 1), 'hash', 'f'.repeat(64));
    for (const host of hosts) {
      await until(() => said(host, /ALERT: revision \d+ in the ledger does not carry a signature of this fleet/), 'an alert', SETTLE_MS);
      assert.deepEqual(await splitOf(host), { blue: 55, green: 45 });
      assert.equal((await host.get('/')).status, 200);
    }
  });

  await t.test('a host that starts with everything else away serves what it knew; a copy of it is kept out of the fleet', async () => {
    await redis.kill();
    assert.equal((await three.stop()).code, 0);
    // For the next step: a host as somebody makes it who copies another one.
    const copied = join(three.directory, 'copied');
    cpSync(join(three.directory, 'state'), copied, { recursive: true });
    const startedMs = performance.now();
    const again = new Appliance(three.directory, readFileSync(three.configFile, 'utf8'));
    t.after(() => again.kill());
    const answered = async (): Promise<boolean> =>
      again.get('/').then(
        ({ status }) => status === 200,
        () => false,
      );
    await until(answered, 'the first request is proxied', SETTLE_MS);
    const tookMs = performance.now() - startedMs;
    await again.ready();
    assert.deepEqual(await splitOf(again), { blue: 55, green: 45 });
    t.diagnostic(`first proxied request after ${Math.round(tookMs)} ms`);
    // About 2.5 s on a quiet machine; the other tests share this one.
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    await redis.start();
    const isIn = async (): Promise<boolean> => (await edgesOf(again)).some(({ leads }) => leads);
    await until(isIn, 'it is in the fleet', SETTLE_MS);

    const own = { workers: 1, redis: redisOf(redis.port, keys), stateFrom: copied };
    const copy = await startAppliance(t, { yaml: `host: { name: edge-4 }\n${yaml}`, ...own });
    await until(
      () => said(copy, /ALERT: two hosts have the same id, .*: edge-3 \(.*\/state\)\. This one is edge-4 \(.*\/state\)/),
      'the copy is told',
      SETTLE_MS,
    );
    await until(() => said(again, /ALERT: another host with the id of this one .*: edge-4 \(.*\/state\)/), 'the other is told', SETTLE_MS);
    assert.equal((await copy.get('/')).status, 200);
    assert.equal((await copy.weir('shift', 'shop', 'green=1', '--yes')).code, 3);
    assert.ok((await edgesOf(again)).every(({ name }) => name !== 'edge-4'));
    await again.stop();
  });
});
