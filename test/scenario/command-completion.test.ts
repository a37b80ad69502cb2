// The completion script in a real bash: it offers what the tree of commands and the running appliance know.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startAdminServer } from '../support/admin-server.ts';
import { WEIR } from '../support/command.ts';

test('bash completes commands, the names of clusters and versions, and what stands behind a colon', async () => {
  await using admin = await startAdminServer();
  const script = `
    weir() { "${process.execPath}" "${WEIR}" "$@"; }
    compopt() { :; }
    source <(weir completion bash)
    for line in "weir mainte" "weir shift demo g" "weir drain " "weir wait --for health:o"; do
      COMP_LINE="$line" COMP_POINT=\${#line} COMPREPLY=()
      _weir
      echo "\${COMPREPLY[*]}"
    done`;
  const env = { PATH: process.env['PATH'], WEIR_SERVER: `unix:${admin.socketPath}` };
  const child = spawn('bash', ['--norc', '-c', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  assert.equal(await text(child.stdout), 'maintenance\ngreen=\none two\none=\n');
});
