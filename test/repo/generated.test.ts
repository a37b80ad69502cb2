// The pages that the code writes are what the code would write now: `npm run docs` is run on a copy and compared.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readText, ROOT } from './source-tree.ts';

const PAGES = ['docs/config.md', 'docs/weir.schema.json', 'docs/metrics.md', 'docs/errors.md'];

/** The sources, without the pages, so that a page that is no longer written is noticed. */
function copyOfSources(): string {
  const copy = mkdtempSync(join(tmpdir(), 'weir-docs-'));
  for (const part of ['balancer', 'health', 'agent', 'package.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, 'docs'));
  return copy;
}

const copy = copyOfSources();
after(() => {
  rmSync(copy, { recursive: true });
});

test('the generated pages are current', () => {
  const script = /"docs": "node ([^"]+)"/.exec(readText('package.json'))?.[1];
  assert.ok(script !== undefined, 'package.json has no script docs that runs node');
  const run = spawnSync(process.execPath, script.split(' '), { cwd: copy, encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  for (const page of PAGES) {
    const written = join(copy, page);
    assert.ok(existsSync(written), `npm run docs does not write ${page}`);
    assert.ok(existsSync(join(ROOT, page)), `${page} is missing: run npm run docs`);
    assert.ok(readFileSync(written, 'utf8') === readText(page), `${page} is not what the code says now: run npm run docs`);
  }
});

test('the schema for editors is JSON Schema and knows the top-level keys of the config', () => {
  const schema: unknown = JSON.parse(readText('docs/weir.schema.json'));
  assert.ok(typeof schema === 'object' && schema !== null && '$schema' in schema && 'properties' in schema);
  const properties: unknown = schema.properties;
  assert.ok(typeof properties === 'object' && properties !== null);
  for (const key of ['version', 'listeners', 'clusters', 'services', 'routes']) assert.ok(key in properties, `the schema has no ${key}`);
});
