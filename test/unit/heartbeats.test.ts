// Children that give no sign of life: they are killed after their time, and not when it was the supervisor that stood still.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { Heartbeats } from '../../balancer/heartbeats.ts';
import { silentLog } from '../../balancer/log.ts';
import { Systemd } from '../../balancer/systemd.ts';
import { CONTROLLER, createSlot, type Slot } from '../../balancer/slot.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startNotifySocket } from '../support/notify-socket.ts';
import { fixedRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';

interface Bench {
  readonly clock: ManualClock;
  readonly heartbeats: Heartbeats;
  readonly worker: Slot;
  readonly controller: Slot;
  /** Both give a sign every second for so long. */
  readonly beat: (seconds: number) => void;
}

/** A worker and a controller, real processes that only wait; killed after 10 s without a sign. */
function start(t: TestContext, systemd: Systemd | null = null): Bench {
  const clock = new ManualClock();
  const slots = [createSlot('w1', fixedRandom(0)), createSlot(CONTROLLER, fixedRandom(0))] as const;
  const [worker, controller] = slots;
  const options = { hangMs: 10_000, systemd, clock, log: silentLog };
  const heartbeats = new Heartbeats(options, { controller, workers: () => [worker], isInCharge: () => true });
  for (const slot of slots) {
    const child = (slot.child = spawn('sleep', ['60']));
    heartbeats.started(slot);
    t.after(async () => {
      const exited = once(child, 'exit');
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await exited;
      }
    });
  }
  heartbeats.start();
  t.after(() => heartbeats.close());
  const beat = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) {
      for (const slot of slots) heartbeats.heard(slot);
      clock.advance(1000);
    }
  };
  return { clock, heartbeats, worker, controller, beat };
}

function killed(...slots: readonly Slot[]): readonly (boolean | undefined)[] {
  return slots.map(({ child }) => child?.killed);
}

test('who is silent for longer than it may is killed, and the others are not', (t) => {
  const { clock, heartbeats, worker, controller, beat } = start(t);
  beat(5);
  for (let second = 0; second < 9; second += 1) {
    heartbeats.heard(controller);
    clock.advance(1000);
  }
  assert.equal(worker.child?.killed, false, 'its time is just over');
  heartbeats.heard(controller);
  clock.advance(1000);
  assert.deepEqual(killed(worker, controller), [true, false]);
});

test('a controller that hangs is killed, too', (t) => {
  const { clock, heartbeats, worker, controller, beat } = start(t);
  beat(1);
  for (let second = 0; second < 12; second += 1) {
    heartbeats.heard(worker);
    clock.advance(1000);
  }
  assert.deepEqual(killed(worker, controller), [false, true]);
});

test('a machine that stood still kills nobody, and from then on the time counts anew', (t) => {
  const { clock, worker, controller, beat } = start(t);
  beat(3);
  clock.standStill(120_000);
  clock.advance(1);
  assert.deepEqual(killed(worker, controller), [false, false]);
  clock.advance(9000);
  assert.deepEqual(killed(worker, controller), [false, false]);
  clock.advance(3000);
  assert.deepEqual(killed(worker, controller), [true, true]);
});

test('a process that loads the program has a minute for its first sign', (t) => {
  const { clock, worker } = start(t);
  clock.advance(60_000);
  assert.equal(worker.child?.killed, false);
  clock.advance(2000);
  assert.equal(worker.child.killed, true);
});

test('with 0 nobody is killed', (t) => {
  const { clock, heartbeats, worker, beat } = start(t);
  heartbeats.setHangMs(0);
  beat(1);
  clock.advance(3_600_000);
  assert.equal(worker.child?.killed, false);
});

test('systemd gets signs of life while a worker gives some, whatever the controller does, and none after that', async (t) => {
  const { name, said } = await startNotifySocket(t);
  const systemd = new Systemd({ socket: name, watchdogMs: 6000, log: silentLog });
  const { clock, heartbeats, worker } = start(t, systemd);
  const beat = (): boolean => {
    heartbeats.heard(worker);
    clock.advance(1000);
    return said.length >= 3;
  };
  await until(beat, 'signs of life come');
  clock.advance(10_000);
  await systemd.ready(1, 'a mark');
  const signs = said.indexOf('READY=1');
  clock.advance(30_000);
  await systemd.ready(1, 'another mark');
  assert.deepEqual(new Set(said.slice(0, signs)), new Set(['WATCHDOG=1']));
  assert.ok(!said.slice(signs).includes('WATCHDOG=1'), said.join('\n'));
});
