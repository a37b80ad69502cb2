// A host whose workers or whole program are replaced while it serves: no request fails, and a program that cannot serve changes nothing.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { WEIR } from '../support/command.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** A host that is started by a link, as releases are laid out; what the link names can be replaced. */
async function startLinked(t: TestContext): Promise<{ readonly appliance: Appliance; readonly replace: (program: string) => void }> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-program-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, 'weir.mjs');
  symlinkSync(WEIR, program);
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml: `drainDeadline: 5s\n${yaml}`, program, untilProbed: true });
  const replace = (text: string): void => {
    rmSync(program);
    writeFileSync(program, text);
  };
  return { appliance, replace };
}

/** Requests over kept and over new connections while `act` runs, none of which may fail. */
async function nothingLostIn(t: TestContext, appliance: Appliance, act: () => Promise<void>): Promise<void> {
  const loads = [new Load(appliance, { clients: 6, keepAlive: true }), new Load(appliance, { clients: 3, keepAlive: false })];
  try {
    await act();
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
  }
  t.diagnostic(`answered: ${loads.map(({ answered }) => answered).join(' and ')}`);
  assert.deepEqual(
    loads.flatMap(({ failures }) => failures.slice(0, 3)),
    [],
  );
  assert.ok(
    loads.every(({ answered }) => answered > 0),
    'the load was there',
  );
}

async function allGone(pids: readonly number[]): Promise<void> {
  const gone = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  await until(() => pids.every(gone), 'those before have left', 20_000);
}

test('an upgrade puts another supervisor, controller and workers in place and loses no request', async (t) => {
  const { appliance } = await startLinked(t);
  const shifted = await appliance.weir('shift', 'shop', 'green=40', '--yes');
  assert.equal(shifted.code, 0, shifted.stderr);
  const { revision } = await appliance.status();
  const before = appliance.pids();
  await nothingLostIn(t, appliance, async () => {
    const { code, stdout, stderr } = await appliance.weir('upgrade');
    assert.equal(code, 0, `${stderr}${appliance.log}`);
    assert.match(stdout, /upgraded: weir \S+ serves/);
    await allGone([before.supervisor, before.controller, ...before.workers]);
  });
  const after = appliance.pids();
  assert.notEqual(after.supervisor, before.supervisor);
  assert.equal(after.workers.length, 2);
  assert.equal((await appliance.status()).revision, revision, 'the intent came along');
  const again = await appliance.weir('shift', 'shop', 'green=20', '--yes');
  assert.equal(again.code, 0, again.stderr);
});

test('a program that cannot be loaded is named, and the host goes on as it is', async (t) => {
  const { appliance, replace } = await startLinked(t);
  const before = appliance.pids();
  replace(`throw new Error('this release is broken');`);
  const { code, stderr } = await appliance.weir('upgrade');
  assert.equal(code, 1);
  assert.match(stderr, /nothing has changed: the program on disk cannot be started: [^]*this release is broken/);
  assert.deepEqual(appliance.pids(), before);
});

test('a program whose workers die after it took over is given up, the one before takes all back and loses no request', async (t) => {
  const { appliance, replace } = await startLinked(t);
  const before = appliance.pids();
  // Its supervisor and its controller are sound.
  const workerEnds = `data:text/javascript,if (process.env.WEIR_ROLE === 'worker') process.exit(9)`;
  replace(`process.env.NODE_OPTIONS = ${JSON.stringify(`--import="${workerEnds}"`)};
    const { main } = await import(${JSON.stringify(join(WEIR, '../weir.ts'))});
    await main(process.argv.slice(2));`);
  await nothingLostIn(t, appliance, async () => {
    const { code, stderr } = await appliance.weir('upgrade');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /nothing has changed: the worker w\d ended 3 times before it was ready/);
  });
  assert.deepEqual(appliance.pids(), before);
  const shifted = await appliance.weir('shift', 'shop', 'green=40', '--yes');
  assert.equal(shifted.code, 0, shifted.stderr);
});

test('workers are replaced one by one and no request is lost', async (t) => {
  const { appliance } = await startLinked(t);
  const before = appliance.pids();
  await nothingLostIn(t, appliance, async () => {
    const { code, stderr } = await appliance.weir('restart', 'workers');
    assert.equal(code, 0, stderr);
    await allGone(before.workers);
  });
  const after = appliance.pids();
  assert.deepEqual([after.supervisor, after.controller, after.workers.length], [before.supervisor, before.controller, 2]);
});
