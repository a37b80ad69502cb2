// Every change of config leaves a record of who made it and what differs, and what is changed behind the records is found.
import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { RevisionView } from '../../balancer/controller/api/views.ts';
import { Appliance, startAppliance } from '../support/appliance.ts';
import { runWeir } from '../support/command.ts';
import { startTwoClusters } from '../support/two-clusters.ts';

async function newest(appliance: Appliance): Promise<RevisionView> {
  const { stdout } = await appliance.weir('history', '--limit', '1', '-o', 'json');
  const { items } = JSON.parse(stdout) as { readonly items: readonly RevisionView[] };
  assert.ok(items[0] !== undefined);
  return items[0];
}

function apply(appliance: Appliance, text: string): ReturnType<typeof runWeir> {
  return runWeir(['config', 'apply', '-'], { server: appliance.socketPath, stdin: text });
}

test('applying a config that changes no split is a revision too, which undo does not take for a change of traffic', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1 });
  assert.equal((await newest(appliance)).revision, 1);
  const shifted = await appliance.weir('shift', 'shop', 'green=20');
  assert.equal(shifted.code, 0, shifted.stderr);

  const text = readFileSync(appliance.configFile, 'utf8');
  const changed = text.replace('match: { path: / }', 'match: { path: /api }');
  const applied = await apply(appliance, changed);
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /generation 2, revision 3/);
  const { revision, source, author, reason, touched } = await newest(appliance);
  assert.deepEqual({ revision, source, reason }, { revision: 3, source: 'config', reason: 'route shop: match changed' });
  assert.match(author.how, /^local, claims /);
  assert.deepEqual(
    touched.map(({ path }) => path),
    [['config']],
  );
  assert.equal((await apply(appliance, changed)).code, 0);
  assert.equal((await newest(appliance)).revision, 3, 'the same again is no revision');

  const undone = await appliance.weir('undo');
  assert.equal(undone.code, 0, undone.stderr);
  assert.deepEqual((await appliance.status()).services[0]?.split, { blue: 90, green: 10 });
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);

  renameSync(appliance.configFile, `${appliance.configFile}.away`);
  const refused = await apply(appliance, text);
  assert.equal(refused.code, 7, refused.stderr);
  assert.match(refused.stderr, /the config file of this host is not there/);
});

test('an intent that was edited in the store is found by audit verify', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1 });
  await appliance.weir('shift', 'shop', 'green=20');
  assert.equal((await appliance.stop()).code, 0);
  const database = new DatabaseSync(join(appliance.directory, 'state', 'weir.sqlite'));
  database.exec("UPDATE revision SET intent = replace(replace(intent, '200000', '10000'), '800000', '990000') WHERE revision = 2");
  database.close();

  const again = new Appliance(appliance.directory, readFileSync(appliance.configFile, 'utf8'));
  t.after(() => again.kill());
  await again.ready();
  const verified = await again.weir('audit', 'verify');
  assert.equal(verified.code, 1);
  assert.match(verified.stdout, /broken at revision 2/);
  await again.stop();
});
