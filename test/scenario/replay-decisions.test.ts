// Decisions of a real appliance, over a killed controller, made again from its log: bit for bit as they were, and held against another config.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

interface Replayed {
  readonly items: readonly {
    readonly decisions: number;
    readonly mismatches: number;
    readonly services: readonly { readonly service: string; readonly movedMost: number }[];
  }[];
}

test('every decision of a day with load, a drain and a killed controller comes out again as it was', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const load = new Load(appliance, { clients: 2, keepAlive: true });
  t.after(() => load.stop());
  assert.equal((await appliance.weir('drain', 'one', '--yes')).code, 0);
  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', 60_000);
  assert.equal((await appliance.weir('restore', 'one', '--yes')).code, 0);
  const answered = load.answered;
  await until(() => load.answered > answered + 200, 'there is load again');

  const folder = join(appliance.directory, 'state', 'decisions');
  const again = await appliance.weir('replay', folder);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^\d+ decisions from [^\n]*\nall of them come out as they were recorded\n$/);

  const otherFile = join(appliance.directory, 'other.yaml');
  writeFileSync(
    otherFile,
    readFileSync(appliance.configFile, 'utf8').replace('split: { blue: 90, green: 10 }', 'split: { blue: 50, green: 50 }'),
  );
  const other = await appliance.weir('replay', folder, '--config', otherFile, '-o', 'json');
  assert.equal(other.code, 0, other.stderr);
  const [replayed] = (JSON.parse(other.stdout) as Replayed).items;
  assert.ok(replayed !== undefined);
  assert.equal(replayed.mismatches, 0);
  assert.ok(replayed.decisions > 5);
  const moved = replayed.services[0]?.movedMost ?? 0;
  assert.ok(moved > 0.39 && moved < 0.45, `${moved}`);

  const none = await appliance.weir('replay', otherFile);
  assert.deepEqual([none.code, /other\.yaml:1: is no JSON/.test(none.stderr)], [1, true], none.stderr);
});
