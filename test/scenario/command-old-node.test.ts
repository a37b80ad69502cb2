// A Node that is too old: one line that says what, which version is here, and the fix; never a syntax error.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { runWeir } from '../support/command.ts';
import { SMALL_CONFIG } from '../support/config-text.ts';

const LINE =
  /^weir needs Node\.js 26\.4 or newer and this is v(\d+)\.\d+\.\d+: in a checkout run `npm run -s weir -- shift demo green=1`, .*; elsewhere install Node\.js 26\.4 or newer\.\n$/;

test('a Node before 26 is told so in one line', async (t) => {
  const old = oldNode();
  if (old === null) {
    t.skip('no Node before 26 in PATH or /usr/bin on this machine; the next test checks the line without one');
    return;
  }
  const result = await runWeir(['shift', 'demo', 'green=1'], { node: old });
  assert.deepEqual([result.code, result.stdout], [1, '']);
  assert.match(result.stderr, LINE);
});

test('the version alone decides, to its second number, and is the one that the package names', async () => {
  const named: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  assert.deepEqual(Reflect.get(Object(named), 'engines'), { node: '>=26.4' });
  const saidBy = async (version: string): Promise<string> => {
    const other = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(other)}` };
    return (await runWeir(['shift', 'demo', 'green=1'], { env })).stderr;
  };
  for (const version of ['22.22.2', '26.3.9']) assert.equal(LINE.exec(await saidBy(version))?.[1], version.slice(0, 2));
  for (const version of ['26.4.0', '27.0.0']) assert.doesNotMatch(await saidBy(version), LINE);
});

test('a Node that cannot hold sockets is told so by serve, before anything starts', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-old-node-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'weir.yaml');
  writeFileSync(file, `state: { dir: ${JSON.stringify(join(directory, 'state'))} }\n${SMALL_CONFIG}`);
  const without = "import net from 'node:net'; delete net.BoundSocket;";
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(without)}` };
  const result = await runWeir(['serve', '-c', file], { env });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /^weir: `weir serve` needs Node\.js 26\.4 or newer, .* this is v\d+\.\d+\.\d+$/m);
  assert.ok(!existsSync(join(directory, 'state')));
});

/** A Node before 26 that this machine happens to have. */
function oldNode(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin'];
  return folders.map((folder) => join(folder, 'node')).find((file) => majorOf(file) < 26) ?? null;
}

function majorOf(file: string): number {
  try {
    accessSync(file, constants.X_OK);
    return Number(/^v(\d+)\./.exec(execFileSync(file, ['--version'], { encoding: 'utf8' }))?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
