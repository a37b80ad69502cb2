// The supervisor with real children that behave and misbehave: it ends what does not leave, and gives up on what cannot start.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { childrenOf } from '../support/child-processes.ts';
import { until } from '../support/until.ts';

const PROGRAM = join(import.meta.dirname, '../support/supervisor-process.ts');
/** Several processes have to start on a machine that others use. */
const DEADLINE_MS = 30_000;

interface Run {
  readonly pid: number;
  said: string;
  readonly ended: Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** What the next reload asks for. */
  wantWorkers(workers: number): void;
  count(pattern: RegExp): number;
  says(pattern: RegExp, what: string): Promise<void>;
}

/** `plans`: by role or worker name: `die`, `ignore` (a drain), `silent` (never ready), `fail REASON`; others obey. */
function run(t: TestContext, workers: number, plans: Readonly<Record<string, string>>): Run {
  const directory = mkdtempSync(join(tmpdir(), 'weir-supervisor-'));
  const planFile = join(directory, 'plan.json');
  writeFileSync(planFile, JSON.stringify(plans));
  const env = { ...process.env, WEIR_TEST_PLAN: planFile, WEIR_TEST_WORKERS: String(workers) };
  const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const made: Run = {
    pid: child.pid ?? 0,
    said: '',
    ended,
    signal: (signal) => void child.kill(signal),
    wantWorkers: (wanted) => writeFileSync(`${planFile}.workers`, String(wanted)),
    count: (pattern) => made.said.match(new RegExp(pattern, 'g'))?.length ?? 0,
    says: (pattern, what) => until(() => pattern.test(made.said), what, DEADLINE_MS),
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (made.said += text));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    if (!t.passed) t.diagnostic(made.said);
    rmSync(directory, { recursive: true, force: true });
  });
  return made;
}

test('children that obey leave in order, without a kill', async (t) => {
  const supervisor = run(t, 2, {});
  await supervisor.says(/"workers":2,"msg":"ready"/, 'all are ready');
  supervisor.signal('SIGTERM');
  await supervisor.ended;
  assert.match(supervisor.said, /ended: in order/);
  assert.doesNotMatch(supervisor.said, /is killed/);
});

test('each child has its part of the memory as the limit of its heap', async (t) => {
  const supervisor = run(t, 2, {});
  await supervisor.says(/"workers":2,"msg":"ready"/, 'all are ready');
  const titles = childrenOf(supervisor.pid).map(({ title }) => title);
  assert.equal(titles.length, 3);
  for (const title of titles) assert.match(title, / --max-old-space-size=128 /);
});

test('a child that ignores its deadline is killed after it, and the end is still in order', async (t) => {
  const supervisor = run(t, 2, { w2: 'ignore' });
  await supervisor.says(/"workers":2,"msg":"ready"/, 'all are ready');
  supervisor.signal('SIGTERM');
  await supervisor.ended;
  assert.match(supervisor.said, /"child":"w2","deadlineMs":200,"msg":"did not leave by its deadline and is killed"/);
  assert.equal(supervisor.count(/is killed/), 1);
  assert.match(supervisor.said, /ended: in order/);
});

test('workers that die before any was ready end the start with the reason', async (t) => {
  const supervisor = run(t, 2, { worker: 'die' });
  await supervisor.ended;
  assert.match(supervisor.said, /ended: the worker w\d ended 3 times before it was ready \(exit code 3\)/);
});

test('a controller that says why it cannot start ends the start with its words', async (t) => {
  const supervisor = run(t, 1, { controller: 'fail the state directory is on fire', worker: 'silent' });
  await supervisor.ended;
  assert.match(supervisor.said, /ended: the state directory is on fire/);
});

test('a reload brings more workers and takes them away again', async (t) => {
  const supervisor = run(t, 1, {});
  await supervisor.says(/"workers":1,"msg":"ready"/, 'it is ready');
  supervisor.wantWorkers(3);
  supervisor.signal('SIGHUP');
  await until(() => childrenOf(supervisor.pid).length === 4, 'three workers and the controller run', DEADLINE_MS);
  supervisor.wantWorkers(1);
  supervisor.signal('SIGHUP');
  await until(() => childrenOf(supervisor.pid).length === 2, 'one worker and the controller run', DEADLINE_MS);
  assert.equal(supervisor.count(/will be replaced/), 0);
});
