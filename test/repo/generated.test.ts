// The pages that the code writes are what the code would write now.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configSchema, generatedPages } from '../../balancer/offline.ts';
import { listFiles, readText } from './source-tree.ts';

test('the generated pages are current, and all that the index of documents names are made', () => {
  const pages = generatedPages();
  const current = listFiles();
  for (const [name, text] of Object.entries(pages)) {
    assert.ok(current.includes(`docs/${name}`), `docs/${name} is missing: run npm run docs`);
    assert.ok(readText(`docs/${name}`) === text, `docs/${name} is not what the code says now: run npm run docs`);
  }
  const named = [...readText('docs/README.md').matchAll(/^\| \[([^\]]+)\].*`npm run docs` \|$/gm)].map((match) => match[1]);
  // A folder of pages has an index of its own, whose links lead somewhere as all links do.
  const indexed = Object.keys(pages).filter((name) => !name.includes('/') || name.endsWith('/README.md'));
  assert.deepEqual(named.sort(), indexed.sort());
});

test('every filter has a page, and no page is left of one that is gone', () => {
  const made = Object.keys(generatedPages()).filter((name) => name.startsWith('filters/'));
  const there = listFiles().filter((path) => path.startsWith('docs/filters/'));
  assert.deepEqual(there.map((path) => path.replace('docs/', '')).sort(), made.sort());
});

test('the schema for editors is JSON Schema and knows the top-level keys of the config', () => {
  const schema = configSchema();
  assert.match(String(schema['$schema']), /^https?:\/\/json-schema\.org\/draft/);
  const properties = schema['properties'];
  assert.ok(typeof properties === 'object' && properties !== null);
  for (const key of ['version', 'listeners', 'clusters', 'services', 'routes']) assert.ok(key in properties, `the schema has no ${key}`);
});
