// A fleet at its full size (three hosts of two workers, three clusters with agents, a Redis behind links that fail): a worker that is late is named, restarts in
// every order fail no request, and of changes from all hosts at once under troubled links every acknowledged one is in the history.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeResult } from '../../balancer/controller/api/views.ts';
import { Changer } from '../support/acknowledged.ts';
import type { Appliance } from '../support/appliance.ts';
import { KeptClients, type SteadyLoad } from '../support/kept-clients.ts';
import { RevisionWatch } from '../support/revision-watch.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startWholeFleet, type WholeFleet } from '../support/whole-fleet.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 40_000;
const TROUBLE_MS = 6000;
/** A circuit that takes every way from one of the four to another once: each is restarted while each other one is just coming back. */
const CIRCUIT = [
  ...(['host', 'redis', 'agent', 'controller', 'host', 'agent', 'redis'] as const),
  ...(['controller', 'redis', 'host', 'controller', 'agent', 'host'] as const),
];

async function shift(host: Appliance, percent: number, code = 0): Promise<ChangeResult> {
  const result = await host.weir('shift', 'shop', `green=${percent}`, '--yes', '-o', 'json');
  assert.equal(result.code, code, result.stderr);
  return (JSON.parse(result.stdout) as { readonly items: readonly [ChangeResult] }).items[0];
}

const isWhole = (fleet: WholeFleet): Promise<void> => until(() => fleet.isWhole(), 'the fleet is whole again', SETTLE_MS);

async function nothingFailed(loads: readonly SteadyLoad[]): Promise<number> {
  const asked = (await Promise.all(loads.map((load) => load.stop()))).flat();
  assert.deepEqual(asked.filter(({ status }) => status !== 200).slice(0, 3), []);
  return asked.length;
}

test('a whole fleet', { timeout: 240_000 }, async (t) => {
  const fleet = await startWholeFleet(t);
  const { hosts, links } = fleet;
  const [one, two] = hosts;
  const clients = hosts.slice(0, 2).map((host) => new KeptClients(host.url(), 2));
  t.after(() => clients.forEach((each) => each.close()));
  const loads = (): readonly SteadyLoad[] => clients.map((each) => each.load(10));

  await t.test(
    'a shift is served by all workers within a second; one that stands still is named with its host, and comes after',
    async () => {
      const { applied } = await shift(one, 40);
      assert.deepEqual(applied?.fleet, { hosts: 3, acknowledged: 3, laggards: [] });
      assert.ok(applied.tookMs <= 1000, JSON.stringify(applied));
      const [, late = 0] = hosts[2].pids().workers;
      process.kill(late, 'SIGSTOP');
      const slow = await shift(two, 30, 8);
      process.kill(late, 'SIGCONT');
      assert.deepEqual(slow.applied?.fleet?.laggards, ['edge-3 (w2)']);
      assert.ok(slow.applied.tookMs <= 3500, JSON.stringify(slow.applied));
      assert.deepEqual((await shift(two, 35)).applied?.fleet?.laggards, []);
    },
  );

  await t.test('changes from all hosts at once, while links are cut and lose answers: none that was acknowledged is lost', async () => {
    const random = seededRandom(7);
    const load = loads();
    const watches = hosts.map((host) => new RevisionWatch(t, host));
    const changers = hosts.map((host, index) => new Changer(host.socketPath, `of edge-${index + 1}`));
    t.after(() => Promise.all(changers.map((changer) => changer.stop())));
    const endMs = performance.now() + TROUBLE_MS;
    while (performance.now() < endMs) {
      const link = links[Math.floor(random() * 3)];
      const trouble = random() < 0.5 ? 'cut' : 'loseAnswers';
      link?.[trouble]();
      await delay(200 + random() * 800);
      link?.heal();
      await delay(random() * 300);
    }
    links.forEach((link) => link.heal());
    await Promise.all(changers.map((changer) => changer.stop()));
    await isWhole(fleet);
    const acknowledged = changers.map((changer) => changer.acknowledged);
    t.diagnostic(`acknowledged: ${acknowledged.join(', ')} of ${changers.map(({ asked }) => asked).join(', ')}`);
    assert.ok(
      acknowledged.every((count) => count > 0),
      'each has changed something',
    );
    for (const changer of changers) {
      assert.deepEqual(await changer.lost(), []);
      assert.ok(await changer.isIntact());
    }
    for (const watch of watches) assert.deepEqual(await watch.stop(), [], 'no host went back');
    await nothingFailed(load);
  });

  await t.test('a host, Redis, an agent and a controller are restarted, each while each other one comes back', async () => {
    const load = loads();
    const watches = hosts.slice(0, 2).map((host) => new RevisionWatch(t, host));
    const { revision } = await one.status();
    for (const who of CIRCUIT) await fleet.restarts[who]();
    await hosts[2].ready();
    await isWhole(fleet);
    assert.equal((await hosts[2].status()).revision, revision);
    assert.deepEqual((await shift(hosts[2], 45)).applied?.fleet, { hosts: 3, acknowledged: 3, laggards: [] });
    for (const host of hosts) assert.equal((await host.weir('audit', 'verify')).code, 0);
    for (const watch of watches) assert.deepEqual(await watch.stop(), [], 'no host went back');
    t.diagnostic(`${await nothingFailed(load)} requests to the hosts that stay`);
  });
});
