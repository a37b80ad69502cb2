// Every import in the checkout keeps to the floors; the check itself is shown to see each kind of breach.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { breaches, homeless } from './floors.ts';
import { importsOf, listSources, readText, ROOT } from './source-tree.ts';

const judge = (path: string, text: string): readonly string[] => breaches(importsOf(path, text));

test('no file imports up or sideways', () => {
  const found = listSources().flatMap((path) => judge(path, readText(path)));
  assert.deepEqual(found, [], found.join('\n'));
});

test('every source file stands on a floor', () => {
  assert.deepEqual(homeless(listSources()), []);
  assert.deepEqual(homeless(['balancer/extra.ts', 'balancer/log.ts', 'test/unit/a.test.ts']), ['balancer/extra.ts']);
});

test('every relative import names a file that exists, with its ending', () => {
  const missing = listSources()
    .flatMap((path) => importsOf(path, readText(path)))
    .filter((found) => found.relative && !existsSync(join(ROOT, found.target)))
    .map((found) => `${found.from}:${found.line} imports ${found.target}, which is not there`);
  assert.deepEqual(missing, [], missing.join('\n'));
});

test('an import that goes up is a breach that names both files and floors', () => {
  const [message, ...others] = judge('balancer/message/fields.ts', "import { plan } from '../steer/plan.ts';");
  assert.match(message ?? '', /balancer\/message\/fields\.ts:1 imports balancer\/steer\/plan\.ts: floor 1 to floor 4 goes up/);
  assert.equal(others.length, 0);
});

test('a type that is imported from above is a breach as well', () => {
  assert.match(judge('health/clock.ts', "import type { Config } from '../balancer/config/config.ts';")[0] ?? '', /goes up/);
  assert.match(judge('health/clock.ts', "let x: import('../balancer/config/config.ts').Config;")[0] ?? '', /goes up/);
  assert.match(judge('health/clock.ts', "export * from '../balancer/config/config.ts';")[0] ?? '', /goes up/);
});

test('the two roots of floor 8 must not import each other', () => {
  assert.match(judge('balancer/worker/pipeline.ts', "import { a } from '../controller/controller.ts';")[0] ?? '', /goes sideways/);
  assert.match(judge('balancer/controller/controller.ts', "import { a } from '../worker/pipeline.ts';")[0] ?? '', /goes sideways/);
});

test('a way down, a file of the same place and an import in a test are no breach', () => {
  assert.deepEqual(judge('balancer/worker/pipeline.ts', "import { a } from '../http1/parser.ts'; import { b } from './respond.ts';"), []);
  assert.deepEqual(judge('test/unit/a.test.ts', "import { a } from '../../balancer/worker/pipeline.ts';"), []);
});

test('the terminal takes types of the admin API and loads programs lazily, and may do nothing else', () => {
  const views = '../balancer/controller/api/views.ts';
  assert.deepEqual(judge('tui/client.ts', `import type { ListView } from '${views}';`), []);
  assert.match(judge('tui/client.ts', `import { ListView } from '${views}';`)[0] ?? '', /\(value\); only the doors/);
  assert.deepEqual(judge('tui/weir.ts', "await import('../balancer/main.ts');"), []);
  assert.match(judge('tui/weir.ts', "import { serve } from '../balancer/main.ts';")[0] ?? '', /only the doors/);
  assert.match(judge('tui/commands/serve.ts', "await import('../../balancer/main.ts');")[0] ?? '', /only the doors/);
  assert.match(judge('bench/run.ts', "import { Fields } from '../balancer/message/fields.ts';")[0] ?? '', /only the doors/);
});

test('a file without a floor, an import of a test and a computed import are breaches', () => {
  assert.match(judge('balancer/extra.ts', "import { a } from './errors.ts';")[0] ?? '', /stands on no floor/);
  assert.match(judge('bench/run.ts', "import { a } from '../test/support/origin.ts';")[0] ?? '', /nothing but tests/);
  assert.equal(importsOf('tui/weir.ts', 'await import(name);')[0]?.target, '<computed>');
});
