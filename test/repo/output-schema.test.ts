// docs/output.schema.json is what the types of the views say now (UPDATE_GOLDEN=1 writes it), and what the command prints keeps to it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { startAdminServer } from '../support/admin-server.ts';
import { runWeir } from '../support/command.ts';
import { outputSchema } from '../support/output-schema.ts';

const FILE = join(import.meta.dirname, '..', '..', 'docs', 'output.schema.json');

test('the schema in the documents is current', () => {
  const text = `${JSON.stringify(outputSchema(), null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(FILE, text);
  assert.deepEqual(
    JSON.parse(readFileSync(FILE, 'utf8')),
    JSON.parse(text),
    'UPDATE_GOLDEN=1 node --test test/repo/output-schema.test.ts writes it',
  );
});

test('what commands print as JSON keeps to it', async () => {
  await using admin = await startAdminServer();
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(outputSchema());
  const lists = ['clusters', 'services', 'routes', 'workers', 'edges', 'agents', 'events', 'revisions', 'rollouts'].map((kind) => [
    'get',
    kind,
  ]);
  for (const args of [['status'], ['shift', 'demo', 'green=20', '--dry-run'], ['doctor'], ...lists]) {
    const { stdout } = await runWeir([...args, '-o', 'json'], { server: admin.socketPath });
    const value: unknown = JSON.parse(stdout);
    assert.ok(validate(value), `${args.join(' ')}: ${JSON.stringify(validate.errors?.slice(-3))}`);
    const broken = { ...(value as object), items: [{ name: 7 }] };
    assert.ok(!validate(broken), `${args.join(' ')}: anything would do`);
  }
});
