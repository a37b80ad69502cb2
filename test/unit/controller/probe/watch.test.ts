// One watch on virtual time: when it checks, how checks and ejections combine, and what flaps.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Watch, type WatchSettings } from '../../../../balancer/controller/probe/watch.ts';
import { HOLD_DOWN } from '../../../../health/hold-down.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { fixedRandom, seededRandom } from '../../../support/seeded-random.ts';

const SETTINGS: WatchSettings = { intervalMs: 1000, rise: 2, fall: 3 };
/** The middle: no jitter on intervals, and the first check after half of the spread. */
const NO_JITTER = fixedRandom(0.5);
const FIRST_MS = 100;
const SOON_MS = 250;

class Bench {
  readonly clock = new ManualClock();
  readonly checkedAtMs: number[] = [];
  readonly conditions: string[] = [];
  ok = true;
  readonly watch: Watch;

  constructor({ checked = true, random = NO_JITTER } = {}) {
    const onChange = (): void => {
      this.conditions.push(`${this.clock.nowMs()} ${this.watch.condition}`);
    };
    this.watch = new Watch('unknown', { clock: this.clock, random, holdDown: HOLD_DOWN, onChange });
    this.watch.configure(checked ? () => this.#check() : null, SETTINGS);
  }

  #check(): Promise<{ readonly ok: boolean; readonly reason: string }> {
    this.checkedAtMs.push(this.clock.nowMs());
    return Promise.resolve({ ok: this.ok, reason: this.ok ? '' : 'status 503' });
  }
}

describe('the schedule', () => {
  test('the first check comes soon, the others at the interval', async () => {
    const bench = new Bench();
    await bench.clock.elapse(3500);
    assert.deepEqual(bench.checkedAtMs, [FIRST_MS, FIRST_MS + 1000, FIRST_MS + 2000, FIRST_MS + 3000]);
  });

  test('checks come faster while the state is in doubt, and at the interval again once it is settled', async () => {
    const bench = new Bench();
    await bench.clock.elapse(200);
    bench.ok = false;
    await bench.clock.elapse(3000);
    const first = FIRST_MS + 1000;
    assert.deepEqual(bench.checkedAtMs.slice(1), [first, first + SOON_MS, first + 2 * SOON_MS, first + 2 * SOON_MS + 1000]);
    assert.deepEqual(bench.conditions, [`${FIRST_MS} up`, `${first + 2 * SOON_MS} down`]);
  });

  test('intervals vary by a tenth to either side and no more', async () => {
    const bench = new Bench({ random: seededRandom(3) });
    await bench.clock.elapse(100_000);
    const gaps = bench.checkedAtMs.slice(1).map((atMs, index) => atMs - (bench.checkedAtMs[index] ?? 0));
    assert.ok(gaps.every((gap) => gap >= 900 && gap <= 1100));
    assert.ok(Math.max(...gaps) - Math.min(...gaps) > 100);
    assert.ok((bench.checkedAtMs[0] ?? Infinity) < 200);
  });

  test('a check that takes longer than the interval never runs twice at once', async () => {
    const clock = new ManualClock();
    let running = 0;
    let most = 0;
    const watch = new Watch('unknown', { clock, random: NO_JITTER, holdDown: HOLD_DOWN, onChange: () => undefined });
    watch.configure(async () => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((resolve) => {
        clock.after(2500, resolve);
      });
      running -= 1;
      return { ok: true, reason: '' };
    }, SETTINGS);
    await clock.elapse(20_000);
    assert.equal(most, 1);
    watch.close();
  });

  test('a closed watch checks no more, ends the check under way and leaves no timer', async () => {
    const clock = new ManualClock();
    let aborted = false;
    let changes = 0;
    const watch = new Watch('unknown', { clock, random: NO_JITTER, holdDown: HOLD_DOWN, onChange: () => (changes += 1) });
    watch.configure(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve({ ok: false, reason: 'aborted' });
          });
        }),
      SETTINGS,
    );
    await clock.elapse(FIRST_MS);
    watch.eject(5000, 'resets');
    changes = 0;
    watch.close();
    await clock.elapse(10_000);
    assert.deepEqual([aborted, changes, clock.pending], [true, 0, 0]);
  });

  test('a check that could not be asked changes nothing', async () => {
    const clock = new ManualClock();
    const watch = new Watch('up', { clock, random: NO_JITTER, holdDown: HOLD_DOWN, onChange: () => assert.fail('nothing changed') });
    let asked = 0;
    watch.configure(() => {
      asked += 1;
      return Promise.resolve(null);
    }, SETTINGS);
    await clock.elapse(10_000);
    assert.equal(watch.condition, 'up');
    assert.equal(asked, 10);
    watch.close();
  });
});

describe('evidence of real traffic', () => {
  test('a watch without a check is up, down while an ejection lasts, and up at its end', async () => {
    const bench = new Bench({ checked: false });
    bench.watch.eject(5000, 'five resets in a row');
    assert.equal(bench.watch.reason, 'five resets in a row');
    await bench.clock.elapse(10_000);
    assert.deepEqual(bench.conditions, ['0 up', '0 down', '5000 up']);
  });

  test('good checks do not bring it back before the ejection ends', async () => {
    const bench = new Bench();
    await bench.clock.elapse(200);
    bench.watch.eject(5000, 'resets');
    await bench.clock.elapse(4999);
    assert.equal(bench.watch.condition, 'down');
    await bench.clock.elapse(1);
    assert.equal(bench.watch.condition, 'up');
  });

  test('the end of the ejection does not bring it back before enough checks since its begin were good', async () => {
    const bench = new Bench();
    await bench.clock.elapse(200);
    bench.ok = false;
    bench.watch.eject(1000, 'resets');
    await bench.clock.elapse(3000);
    assert.deepEqual([bench.watch.condition, bench.watch.reason], ['down', 'status 503']);
    bench.ok = true;
    await bench.clock.elapse(1000);
    assert.equal(bench.watch.condition, 'down', 'one good check of two');
    await bench.clock.elapse(SOON_MS);
    assert.equal(bench.watch.condition, 'up');
  });

  test('an ejection has the endpoint checked at once', async () => {
    const bench = new Bench();
    await bench.clock.elapse(500);
    bench.watch.eject(5000, 'resets');
    await bench.clock.elapse(0);
    assert.deepEqual(bench.checkedAtMs, [FIRST_MS, 500]);
  });

  test('of several reports the longest counts', async () => {
    const bench = new Bench({ checked: false });
    bench.watch.eject(5000, 'a');
    bench.watch.eject(2000, 'b');
    await bench.clock.elapse(4999);
    assert.equal(bench.watch.condition, 'down');
    await bench.clock.elapse(1);
    assert.equal(bench.watch.condition, 'up');
  });
});

describe('flapping', () => {
  test('the first return is free, the next ones are held longer each time', async () => {
    const bench = new Bench({ checked: false });
    for (let round = 0; round < 3; round += 1) {
      bench.watch.eject(1000, 'resets');
      await bench.clock.elapse(60_000);
    }
    assert.deepEqual(bench.conditions, [
      '0 up',
      '0 down',
      '1000 up',
      '60000 down',
      '61000 held',
      '75000 up',
      '120000 down',
      '121000 held',
      '150000 up',
    ]);
  });
});

test('a new configuration keeps the state, and the answer of an old check counts for nothing', async () => {
  const clock = new ManualClock();
  const watch = new Watch('down', { clock, random: NO_JITTER, holdDown: HOLD_DOWN, onChange: () => undefined });
  let answer: (result: { readonly ok: boolean; readonly reason: string }) => void = () => undefined;
  watch.configure(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    { ...SETTINGS, rise: 1 },
  );
  await clock.elapse(FIRST_MS);
  watch.configure(() => Promise.resolve({ ok: false, reason: 'refused' }), { ...SETTINGS, rise: 1 });
  answer({ ok: true, reason: '' });
  await clock.elapse(FIRST_MS);
  assert.deepEqual([watch.condition, watch.reason], ['down', 'refused']);
  watch.close();
});
