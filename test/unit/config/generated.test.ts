// The pages and the editors' schema that come from the code: up to date, and saying the same as the loader.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { editorSchema } from '../../../balancer/config/json-schema.ts';
import { checkFile, configSchema, generatedPages } from '../../../balancer/offline.ts';
import { SMALL_CONFIG, TEST_EXTENSIONS } from '../../support/config-text.ts';

const ROOT = join(import.meta.dirname, '../../..');

for (const [name, text] of Object.entries(generatedPages())) {
  test(`docs/${name} is what npm run docs writes`, async () => {
    assert.deepEqual((await readFile(join(ROOT, 'docs', name), 'utf8')).split('\n'), text.split('\n'));
  });
}

const golden = async (name: string): Promise<unknown> => parse(await readFile(join(ROOT, 'test/golden/config', `${name}.yaml`), 'utf8'));

test('the schema for editors is a valid schema and takes the files that load', async () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(editorSchema(TEST_EXTENSIONS));
  for (const name of ['small', 'complete', 'contradictory'])
    assert.ok(validate(await golden(name)), `${name}: ${JSON.stringify(validate.errors)}`);
});

test('the schema for editors refuses unknown keys and values of a wrong form', async () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(editorSchema(TEST_EXTENSIONS));
  assert.ok(!validate(await golden('mistyped')));
  const places = new Set((validate.errors ?? []).map(({ instancePath }) => instancePath));
  for (const place of [
    '',
    '/drainDeadline',
    '/clusters/eu-west/health/timeout',
    '/services/shop/steer/policy',
    '/routes/0/match/methods/0',
  ])
    assert.ok(places.has(place), place);
});

test('every property of the schema has a description', () => {
  const bare: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const properties: unknown = Reflect.get(schema, 'properties');
    for (const [name, property] of Object.entries(properties ?? {}) as [string, object][]) {
      const isFilter = path.endsWith('.filters[]');
      if (!isFilter && typeof Reflect.get(property, 'description') !== 'string') bare.push(`${path}.${name}`);
      visit(property, `${path}.${name}`);
    }
    visit(Reflect.get(schema, 'additionalProperties'), `${path}.<name>`);
    visit(Reflect.get(schema, 'items'), `${path}[]`);
  };
  visit(configSchema(), '');
  assert.deepEqual(bare, []);
});

test('a file is checked as it stands on disk, with the files it names', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-check-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'weir.yaml');
  await writeFile(file, SMALL_CONFIG);
  const good = await checkFile(file);
  assert.ok(good.ok);
  assert.match(good.summary, /valid: 1 listener, 1 cluster, 1 service, 1 route; hash [0-9a-f]{12}$/);
  await writeFile(file, SMALL_CONFIG.replace('8080" }', '8080", tls: { certificates: [{ cert: a.crt, key: weir.yaml }] } }'));
  const bad = await checkFile(file);
  assert.deepEqual(bad, {
    ok: false,
    problems: [
      `${file}:3:64: listeners.web.tls.certificates[0].cert: ${folder}/a.crt cannot be read; expected a file that the user weir runs as may read`,
    ],
  });
  const absent = await checkFile(join(folder, 'absent.yaml'));
  assert.ok(!absent.ok && absent.problems[0]?.includes('cannot be read: ENOENT'));
});
