// Every package is imported behind its fence only; the check itself is shown to see a breach.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FENCES, fenceBreaches } from './fences.ts';
import { importsOf, listSources, readText } from './source-tree.ts';

const judge = (path: string, text: string): readonly string[] => fenceBreaches(importsOf(path, text));

function dependencies(kind: string): readonly string[] {
  const manifest: unknown = JSON.parse(readText('package.json'));
  assert.ok(typeof manifest === 'object' && manifest !== null);
  const listed: unknown = Reflect.get(manifest, kind);
  assert.ok(typeof listed === 'object' && listed !== null);
  return Object.keys(listed);
}

test('no file imports a package outside its fence', () => {
  const found = listSources().flatMap((path) => judge(path, readText(path)));
  assert.deepEqual(found, [], found.join('\n'));
});

test('every runtime dependency has a fence and is imported behind it', () => {
  const imported = new Set(
    listSources()
      .filter((path) => !path.startsWith('test/'))
      .flatMap((path) => importsOf(path, readText(path)))
      .map((found) => found.target),
  );
  for (const name of dependencies('dependencies')) {
    assert.ok(name in FENCES, `${name} is a dependency without a fence`);
    const used = [...imported].some((target) => target === name || target.startsWith(`${name}/`));
    assert.ok(used, `${name} is a dependency that nothing imports; remove it from package.json`);
  }
});

test('every dependency is pinned to one version', () => {
  const manifest = readText('package.json');
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const name of dependencies(kind)) assert.match(manifest, new RegExp(`"${name}": "\\d+\\.\\d+\\.\\d+"`), `${name} is not pinned`);
  }
});

test('a vendor outside its fence is a breach, also as a type or a path inside the package', () => {
  assert.match(
    judge('balancer/worker/a.ts', "import { pino } from 'pino';")[0] ?? '',
    /worker\/a\.ts:1 imports pino, which only balancer\/log\.ts/,
  );
  assert.match(judge('tui/weir.ts', "import type { Widgets } from 'blessed';")[0] ?? '', /only tui\/dashboard\/screen\.ts/);
  assert.match(judge('agent/agent.ts', "await import('systeminformation/lib/cpu.js');")[0] ?? '', /only agent\/host-meter\.ts/);
  assert.match(judge('balancer/main.ts', "import cluster from 'node:cluster';")[0] ?? '', /only balancer\/supervisor\.ts/);
  assert.deepEqual(judge('balancer/log.ts', "import { pino } from 'pino';"), []);
});

test('a package without a fence and a client of Node on the data path are breaches', () => {
  assert.match(judge('balancer/main.ts', "import x from 'left-pad';")[0] ?? '', /has no fence/);
  assert.match(judge('balancer/upstream/pool.ts', "import { request } from 'node:http';")[0] ?? '', /engine of its own/);
  assert.deepEqual(judge('balancer/upstream/pool.ts', "import { connect } from 'node:net';"), []);
  assert.match(judge('balancer/controller/a.ts', "import { createServer } from 'node:http';")[0] ?? '', /makes every start slower/);
  assert.deepEqual(judge('balancer/controller/a.ts', "import type { Server } from 'node:http';"), []);
});
