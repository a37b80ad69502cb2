// weir check and weir config schema: no appliance, every problem at once, each where it is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runWeir } from '../support/command.ts';

const GOOD = `version: 1
listeners: { web: { bind: "127.0.0.1:0" } }
clusters:
  one: { endpoints: ["http://127.0.0.1:9001"] }
services:
  demo: { versions: { blue: { clusters: { one: {} } } } }
routes:
  - { name: all, match: { path: / }, service: demo }
`;

test('a good file is one line, a bad one all its problems with their places', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-check-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'weir.yaml');
  writeFileSync(file, GOOD);
  const good = await runWeir(['check', file]);
  assert.deepEqual([good.code, good.stderr], [0, '']);
  assert.match(good.stdout, /^.*weir\.yaml: valid: 1 listener, 1 cluster, 1 service, 1 route; hash [0-9a-f]+\n$/);
  writeFileSync(file, GOOD.replace('service: demo }', 'service: dmeo }').replace('clusters:\n', 'clutsers: {}\nclusters:\n'));
  const bad = await runWeir(['check', file]);
  assert.deepEqual([bad.code, bad.stdout], [1, '']);
  const lines = bad.stderr.trimEnd().split('\n');
  assert.ok(lines.length >= 2, bad.stderr);
  for (const line of lines) assert.ok(/^\/.*weir\.yaml:\d+:\d+: /.test(line), line);
  assert.match(bad.stderr, /:3:1: .*unknown key "clutsers"/);
});

test('the schema for editors is JSON on stdout', async () => {
  const { code, stdout } = await runWeir(['config', 'schema']);
  assert.equal(code, 0);
  const schema: unknown = JSON.parse(stdout);
  assert.ok(typeof schema === 'object' && schema !== null && '$schema' in schema);
});
