// The top level and the test folders hold what the layout names and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listFiles, listSources } from './source-tree.ts';

const FOLDERS = ['agent', 'balancer', 'bench', 'docs', 'health', 'test', 'tui'];
const DOCUMENTS = ['ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE', 'README.md'];
/** Files that a tool looks for by name. Names with a leading dot are always a tool's. */
const TOOLS = /^(package(-lock)?\.json|tsconfig(\.[a-z]+)?\.json|[a-z]+\.config\.js)$/;
const KINDS_OF_TESTS = ['support', 'unit', 'contract', 'scenario', 'conformance', 'simulate', 'repo'];

/** The names on the top level that have no place there. */
function strangers(paths: readonly string[]): readonly string[] {
  const folders = paths.filter((path) => path.includes('/')).map((path) => path.split('/', 1)[0] ?? '');
  const files = paths.filter((path) => !path.includes('/'));
  return [
    ...new Set([
      ...folders.filter((name) => !FOLDERS.includes(name) && !name.startsWith('.')),
      ...files.filter((name) => !DOCUMENTS.includes(name) && !TOOLS.test(name) && !name.startsWith('.')),
    ]),
  ];
}

test('the top level holds the parts of the program, documents and tool configuration only', () => {
  assert.deepEqual(strangers(listFiles()), []);
  assert.deepEqual(strangers(['src/a.ts', 'notes.md', 'README.md', '.ci/run', 'tui/weir.ts']), ['src', 'notes.md']);
});

test('the documents that a reader looks for are there', () => {
  const paths = listFiles();
  for (const name of [...DOCUMENTS, '.ci/run', 'docs/decisions/README.md']) assert.ok(paths.includes(name), `${name} is missing`);
});

test('tests live under test/ by kind, and unit tests mirror the tree', () => {
  const tests = listSources().filter((path) => path.endsWith('.test.ts'));
  const misplaced = tests.filter((path) => !KINDS_OF_TESTS.some((kind) => path.startsWith(`test/${kind}/`)));
  assert.deepEqual(misplaced, []);
  const unitFolders = new Set(tests.filter((path) => path.startsWith('test/unit/')).map((path) => path.split('/').slice(2, -1).join('/')));
  // The mirror leaves out `balancer/`, which nearly all of it would start with.
  const codeFolders = new Set(
    listSources().map((path) =>
      path
        .split('/')
        .slice(0, -1)
        .join('/')
        .replace(/^balancer\/?/, ''),
    ),
  );
  assert.deepEqual(
    [...unitFolders].filter((folder) => !codeFolders.has(folder)),
    [],
  );
});

test('there is no folder of plain types, no barrel and no JavaScript beside the command', () => {
  const paths = listFiles();
  assert.deepEqual(
    paths.filter((path) => /(^|\/)(types|interfaces|index)(\.ts|\/)/.test(path)),
    [],
  );
  const scripts = paths.filter((path) => /\.[cm]?js$/.test(path) && path.includes('/'));
  assert.deepEqual(scripts, ['tui/weir.js']);
});
