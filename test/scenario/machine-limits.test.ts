// A host on a machine that allows it too few open files: it serves, and says so in its log and in its status.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';

test('a limit that is too small for the listeners is in the log and in `weir status`, and is no trouble of the host', async (t) => {
  // Of this process; what it starts inherits it.
  assert.equal(spawnSync('prlimit', ['--pid', String(process.pid), '--nofile=900:900']).status, 0);
  const { yaml } = await startTwoClusters(t);
  const listeners = '{ web: { bind: "127.0.0.1:0", limits: { connections: 1000 } } }';
  const appliance = await startAppliance(t, { yaml: `listeners: ${listeners}\n${yaml}`, workers: 1, untilProbed: true });
  const told =
    /a worker may have 900 files open, and its listeners may accept 1000 connections \(web 1000\), .* Set LimitNOFILE=\d+ in the unit/;
  assert.match(appliance.log, told);
  const { stdout, code } = await appliance.weir('status', '--check');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^state: ok\\nwarning: ${told.source}`, 'm'));
  assert.equal((await appliance.get()).status, 200);
});
