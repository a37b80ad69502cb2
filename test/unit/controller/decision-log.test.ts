// The log of decisions stays within its bounds, whatever it is fed, and never stands in the way of a decision.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DecisionLog } from '../../../balancer/controller/decision-log.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { silentLog } from '../../../balancer/log.ts';
import { plan, type PlanInput } from '../../../balancer/steer/plan.ts';
import { DecisionDecoder } from '../../../balancer/steer/replay/decision-lines.ts';
import { fleetConfig, healthView } from '../../support/fleet-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const config = fleetConfig({ services: { shop: { versions: { v1: { one: 1, two: 1 } } } } });
const { intent } = seedIntent(config, null);
const MAX_BYTES = 80_000;

function stage(t: TestContext, maxBytes = MAX_BYTES) {
  const directory = mkdtempSync(join(tmpdir(), 'weir-decisions-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const folder = join(directory, 'decisions');
  const log = new DecisionLog(folder, () => ({ maxBytes, maxAgeMs: 3_600_000 }), clock, silentLog);
  /** Decisions of so many seconds. */
  const decide = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1000);
      const demand = { shop: clock.nowMs() };
      const input: PlanInput = {
        ...{ ...config, intent, health: healthView({ one: 'up', two: 'up' }), capacity: {}, demand },
        ...{ previous: null, nowMs: clock.nowMs() },
      };
      log.add(input, plan(input));
      await log.close();
    }
  };
  const files = (): readonly string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
  return { directory, folder, log, clock, decide, files };
}

test('the oldest files go when there is no room for another one, and each that is left can be read alone', async (t) => {
  const { folder, decide, files } = stage(t);
  await decide(400);
  const early = files();
  await decide(400);
  const late = files();
  const bytes = late.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(bytes <= MAX_BYTES, `${bytes} bytes`);
  assert.ok(late.length > 3 && !late.includes(early[0] ?? ''), late.join(' '));
  for (const name of late) {
    const decoder = new DecisionDecoder();
    const [header = '', base = '', step = ''] = readFileSync(join(folder, name), 'utf8').split('\n');
    decoder.header(header);
    decoder.line(base, null);
    assert.ok(decoder.line(step, null) !== null, name);
  }
});

test('what is too old goes with the next file, and what is not of the log stays', async (t) => {
  const { folder, clock, decide, files } = stage(t);
  while (files().length < 2) await decide(10);
  const [old = ''] = files();
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  const hoursAgo = clock.wallMs() / 1000 - 7200;
  utimesSync(join(folder, old), hoursAgo, hoursAgo);
  while (files().filter((name) => name !== 'notes.txt' && name !== old).length < 2) await decide(10);
  assert.equal(files().includes(old), false);
  assert.ok(files().includes('notes.txt'));
});

test('with no room at all nothing is written', async (t) => {
  const { directory, decide } = stage(t, 0);
  await decide(3);
  assert.deepEqual(readdirSync(directory), []);
});

test('a disk that takes nothing stops the log for a minute, and a new file is begun then', async (t) => {
  const { folder, directory, decide, files } = stage(t);
  writeFileSync(folder, 'in the way');
  await decide(2);
  rmSync(folder);
  await decide(50);
  assert.equal(readdirSync(directory).length, 0, 'it is not tried every second');
  await decide(30);
  assert.equal(files().length, 1);
});
