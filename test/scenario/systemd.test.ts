// The host as a service of systemd: what it says at its start, while it serves, in an upgrade and at its end; and the unit that it is run by.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { WEIR } from '../support/command.ts';
import { startNotifySocket } from '../support/notify-socket.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('systemd hears when the host serves, that it lives, who is the main process after an upgrade, and that it stops', async (t) => {
  const { name, said } = await startNotifySocket(t);
  const { yaml } = await startTwoClusters(t);
  const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: '3000000' };
  const appliance = await startAppliance(t, { yaml: `drainDeadline: 2s\n${yaml}`, env });
  const first = appliance.pids();
  await until(() => said.includes('WATCHDOG=1'), 'a sign of life', 10_000);
  assert.deepEqual(said.slice(0, 3), ['READY=1', `MAINPID=${first.supervisor}`, 'STATUS=serving with 2 workers']);
  for (const pid of [first.controller, ...first.workers])
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /NOTIFY_SOCKET|WATCHDOG/, 'children do not answer for the host');

  const { code, stderr } = await appliance.weir('upgrade');
  assert.equal(code, 0, stderr);
  const second = appliance.pids().supervisor;
  await until(() => said.includes(`MAINPID=${second}`), 'the successor is the main process', 10_000);
  const heard = said.length;
  await until(() => said.slice(heard).includes('WATCHDOG=1'), 'a sign of life of the successor', 10_000);
  assert.ok(!said.includes('STOPPING=1'), 'an upgrade is no stop');

  await appliance.stop();
  await until(() => said.includes('STOPPING=1'), 'it stops', 10_000);
  // 2 s to drain, 3 s for the controller, twice 2 s of grace.
  assert.ok(said.includes('EXTEND_TIMEOUT_USEC=9000000'), said.join('\n'));
});

test('systemd takes the unit as it is, and rates it as well confined', (t) => {
  assert.equal(
    spawnSync('systemd-analyze', ['--version']).status,
    0,
    'systemd-analyze is not installed; on Debian: apt-get install systemd',
  );
  const directory = mkdtempSync(join(tmpdir(), 'weir-unit-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const unit = join(directory, 'weir.service');
  // systemd wants what is started to be there.
  const text = readFileSync(join(WEIR, '../../balancer/deploy/weir.service'), 'utf8');
  writeFileSync(
    unit,
    text.replace('/opt/weir/current/node_modules/.bin/node', process.execPath).replace('/opt/weir/current/tui/weir.js', WEIR),
  );
  const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  // Of 100; less is better, and up to 20 is what systemd calls OK.
  const rated = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], { encoding: 'utf8' });
  assert.equal(rated.status, 0, rated.stdout);
});
