// The example for keepalived in docs/service.md: its check is run as it stands there against a host that serves, goes and is gone, and its numbers move the address
// in time.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const PAGE = readFileSync(new URL('../../docs/service.md', import.meta.url), 'utf8');

function said(pattern: RegExp): string {
  return pattern.exec(PAGE)?.[1] ?? assert.fail(`docs/service.md has nothing like ${pattern.source}`);
}

const number = (pattern: RegExp): number => Number(said(pattern));

test('the check says yes while the host serves, no from SIGTERM on, and no when nobody is there', async (t) => {
  assert.equal(spawnSync('curl', ['--version']).status, 0, 'curl is not installed; on Debian: apt-get install curl');
  const [command = '', ...args] = said(/script "([^"]+)"/).split(' ');
  const url = args.at(-1) ?? '';
  assert.equal(new URL(url).port, said(/ready: \{ bind: "0\.0\.0\.0:(\d+)", protocol: readiness \}/), 'it asks where the example listens');
  const { yaml } = await startTwoClusters(t);
  const listeners = '{ web: { bind: "127.0.0.1:0" }, ready: { bind: "127.0.0.1:0", protocol: readiness } }';
  const appliance = await startAppliance(t, { yaml: `lameDuck: 3s\nlisteners: ${listeners}\n${yaml}`, workers: 1 });
  const check = (): number => spawnSync(command, [...args.slice(0, -1), `${appliance.url('ready')}/`]).status ?? -1;
  assert.equal(check(), 0);
  appliance.signal('SIGTERM');
  // What curl ends with for an answer of 400 and above.
  await until(() => check() === 22, 'the check says no');
  await until(() => !appliance.isRunning(), 'it has ended', 20_000);
  assert.equal(check(), 7, 'nobody is there');
});

test('the address moves before the host closes its ports, and to a host that is well', () => {
  const noticedMs = (number(/interval (\d+)/) * number(/fall (\d+)/) + number(/advert_int (\d+)/)) * 1000;
  assert.ok(noticedMs < number(/lameDuck: (\d+)s/) * 1000, 'lameDuck is longer than it takes to notice');
  const [one, other, weight] = [number(/priority (\d+)/), number(/priority \d+ +# (\d+) on the other/), number(/weight (-\d+)/)];
  assert.ok(one > other && one + weight < other, 'the one that fails comes behind the other');
  assert.ok(other + weight < one + weight, 'when both fail it does not move');
});
