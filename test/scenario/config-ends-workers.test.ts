// A config by which workers end, though it has no mistake that a check could find: while they take it over it is refused, and soon after the one before is served
// again, in a revision of its own that outlasts a restart.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Appliance, startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 30_000;

/** In each worker: a config with a route of one of these names ends it. */
const WEAK_WORKERS = `if (process.env.WEIR_ROLE === 'worker') {
  const parse = JSON.parse;
  JSON.parse = (text, reviver) => {
    if (String(text).includes('ends-at-once')) process.exit(9);
    if (String(text).includes('ends-soon')) setTimeout(() => process.exit(9), 1000);
    return parse(text, reviver);
  };
}`;
const ENV = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WEAK_WORKERS)}` };

async function start(t: TestContext): Promise<Appliance> {
  const { yaml } = await startTwoClusters(t);
  return startAppliance(t, { yaml, env: ENV, untilProbed: true });
}

const withRoute =
  (name: string) =>
  (yaml: string): string =>
    yaml.replace('routes:\n', `routes:\n  - { name: ${name}, match: { path: /${name} }, service: shop }\n`);

test('a config that ends a worker while it is taken over is refused, and the one before serves on', { timeout: 60_000 }, async (t) => {
  const appliance = await start(t);
  appliance.rewrite(withRoute('ends-at-once'));
  const { code, stderr } = await appliance.weir('config', 'apply', appliance.configFile);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /worker w\d ended while it took the config over; the config before stays in service/);
  await until(async () => (await appliance.get('/')).status === 200, 'it serves', SETTLE_MS);
  assert.equal((await appliance.status()).revision, 1);
});

test('a config that ends all workers soon after is taken back for good', { timeout: 90_000 }, async (t) => {
  const appliance = await start(t);
  appliance.rewrite(withRoute('ends-soon'));
  appliance.signal('SIGHUP');
  const isBack = async (): Promise<boolean> => (await appliance.status()).revision === 3;
  await until(isBack, 'the config before has a revision of its own', SETTLE_MS);
  const told = (await appliance.events()).filter(({ code }) => code === 'config.rolled_back');
  assert.match(told[0]?.text ?? '', /all workers ended within 10 s of generation 2, so the config before is served again/);
  const answers = async (): Promise<boolean> => (await appliance.get('/')).status === 200;
  await until(() => answers().catch(() => false), 'it serves', SETTLE_MS);
  const { degraded } = await appliance.status();
  assert.ok(
    degraded.some((text) => text.includes('all workers ended')),
    degraded.join('\n'),
  );
  assert.match((await appliance.weir('history')).stdout, /all workers ended within 10 s/);

  // The file still has what ends them.
  await appliance.kill();
  const again = new Appliance(appliance.directory, readFileSync(appliance.configFile, 'utf8'), { env: ENV });
  t.after(() => again.kill());
  await again.ready();
  assert.equal((await again.get('/')).status, 200);
  assert.equal((await again.status()).revision, 3);
});
