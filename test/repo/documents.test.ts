// The documents say what is true of the checkout: paths, links, scripts, lengths, the form of records.
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../balancer/config/load.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { COMMAND_GROUPS } from '../../tui/registry.ts';
import { codeBlocks, mentions, npmScripts, weirCommands } from './documents.ts';
import { listFiles, readText, ROOT } from './source-tree.ts';

const documents = listFiles().filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');
const records = listFiles().filter((path) => /^docs\/decisions\/\d{4}-/.test(path));

const none = (found: readonly string[]): void => {
  assert.deepEqual(found, [], found.join('\n'));
};

test('every path and link in a document leads to something that exists', () => {
  none(
    documents
      .flatMap((path) => mentions(path, readText(path)))
      .filter(({ path }) => !existsSync(join(ROOT, path)))
      .map(({ document, line, path }) => `${document}:${line} names ${path}, which is not there`),
  );
  const found = mentions('docs/a.md', 'see `balancer/gone.ts`, `a/b`, [x](../README.md#top) and [y](https://example.com)').map(
    ({ path }) => path,
  );
  assert.deepEqual(found, ['balancer/gone.ts', 'README.md']);
});

test('every npm script that a document names exists', () => {
  const manifest = readText('package.json');
  for (const path of documents) {
    for (const script of npmScripts(readText(path))) assert.ok(manifest.includes(`"${script}":`), `${path} names npm script ${script}`);
  }
  assert.deepEqual(npmScripts('npm run -s weir -- status; npm test; npm run bench'), ['weir', 'test', 'bench']);
});

test('the architecture fits on a few screens', () => {
  const lines = readText('ARCHITECTURE.md').split('\n').length;
  assert.ok(lines <= 200, `ARCHITECTURE.md has ${lines} lines; 200 is the ceiling`);
});

test('the command lines that the README opens with are the ones that the full check runs', () => {
  const readme = readText('README.md');
  assert.ok(readme.includes('npm ci && npm start'));
  assert.ok(readme.includes('npm ci && npm test'));
  const check = readText('.ci/run');
  assert.ok(check.indexOf("stage 'npm ci' npm ci") < check.indexOf("stage 'npm test' npm test"));
  assert.ok((statSync(join(ROOT, '.ci/run')).mode & 0o111) !== 0, '.ci/run is not executable');
});

test('a folder with a page of its own keeps it short', () => {
  const long = documents.filter(
    (path) => /^(agent|balancer|health|tui|test)\/.*README\.md$/.test(path) && readText(path).split('\n').length > 41,
  );
  assert.deepEqual(long, []);
});

test('decision records have the form, follow each other without a gap and stand in the index', () => {
  const index = readText('docs/decisions/README.md');
  assert.ok(records.length > 0);
  for (const [position, path] of records.entries()) {
    const name = path.split('/').at(-1) ?? '';
    const text = readText(path);
    const number = String(position + 1).padStart(4, '0');
    assert.ok(name.startsWith(`${number}-`), `${path} should be number ${number}`);
    assert.match(text, new RegExp(`^# ${number}: .+\\nStatus: (accepted|replaced by \\d{4}) +Date: \\d{4}-\\d\\d-\\d\\d\\n`), path);
    const sections = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    assert.deepEqual(sections, ['Why', 'Decision', 'Figures', 'Considered', 'Cost'], path);
    assert.ok(index.includes(`(${name})`), `${path} is missing in docs/decisions/README.md`);
  }
});

test('the change log has a part for what is not released, in the form of Keep a Changelog', () => {
  assert.match(readText('CHANGELOG.md'), /^## \[Unreleased\]\n\n### (Added|Changed|Deprecated|Removed|Fixed|Security)$/m);
});

test('every command of weir that a document names is one', () => {
  const known = COMMAND_GROUPS.flatMap((group) => group.commands.map((command) => command.name));
  for (const path of documents) {
    for (const name of weirCommands(readText(path)))
      assert.ok(known.includes(name), `${path} names weir ${name}; known: ${known.join(' ')}`);
  }
  const text = ['```sh', 'npm run -s weir -- status', 'weir shift demo green=50', '```', 'or `weir undo --to 3`'].join('\n');
  assert.deepEqual(weirCommands(text), ['status', 'shift', 'undo']);
});

test('every config in the README and in the page of steering loads', () => {
  const blocks = ['README.md', 'docs/steering.md'].flatMap((path) => codeBlocks(readText(path), 'yaml'));
  assert.ok(blocks.length > 0);
  for (const text of blocks) {
    const loaded = loadConfig({ file: 'weir.yaml', text }, EXTENSIONS, { cores: 2, hostName: 'edge-1', readable: () => true });
    assert.ok(loaded.ok, loaded.ok ? '' : loaded.problems.map((problem) => `${problem.line}: ${problem.message}`).join('\n'));
  }
});
