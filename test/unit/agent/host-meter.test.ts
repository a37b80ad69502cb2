// Measuring the machine that runs the test, and a container: figures that are possible, one measurement at a time, none sooner than it means something.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, test } from 'node:test';
import { readCgroup, type CgroupFigures } from '../../../agent/cgroup.ts';
import { createMeter, LEAST_PERIOD_MS } from '../../../agent/host-meter.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('the figures of this machine are possible ones', async () => {
  const measure = createMeter({ cgroup: () => null });
  for (const measured of [await measure(), await measure()]) {
    assert.ok(measured.cpuUtilisation >= 0 && measured.cpuUtilisation <= 1, String(measured.cpuUtilisation));
    assert.ok(measured.memoryUtilisation > 0 && measured.memoryUtilisation < 1, String(measured.memoryUtilisation));
    // The processes may be bound to fewer cores than the machine has.
    assert.ok(measured.cores >= availableParallelism(), String(measured.cores));
    assert.ok(measured.loadAverage1m >= 0);
  }
});

class Machine {
  readonly clock = new ManualClock();
  calls = 0;
  cgroup: CgroupFigures | null = null;
  readonly measure = createMeter({
    clock: this.clock,
    cgroup: () => this.cgroup,
    machine: () => {
      this.calls += 1;
      return Promise.resolve({ cpuUtilisation: 0.5, memoryUtilisation: 0.6, cores: 32, loadAverage1m: 8 });
    },
  });
}

test('who asks while a measurement runs gets that one, and who asks too soon after it what it found', async () => {
  const machine = new Machine();
  const first = machine.measure();
  assert.equal(machine.measure(), first);
  await first;
  assert.notEqual(machine.measure(), first, 'the first is a mean since the machine started, and stands for nothing');
  await machine.measure();
  assert.equal(machine.calls, 2);
  machine.clock.advance(LEAST_PERIOD_MS - 1);
  await machine.measure();
  assert.equal(machine.calls, 2);
  machine.clock.advance(1);
  await machine.measure();
  assert.equal(machine.calls, 3);
});

describe('in a container', () => {
  test('that is limited its own use of its own part counts', async () => {
    const machine = new Machine();
    machine.cgroup = { cpuCores: 0.5, cpuUsedMs: 1000, memoryBytes: 1000, memoryUsedBytes: 250 };
    await machine.measure();
    machine.clock.advance(10_000);
    machine.cgroup = { ...machine.cgroup, cpuUsedMs: 5000 };
    assert.deepEqual(await machine.measure(), { cpuUtilisation: 0.8, memoryUtilisation: 0.25, cores: 1, loadAverage1m: 8 });
  });

  test('that is limited in memory alone the CPU is the machine’s', async () => {
    const machine = new Machine();
    machine.cgroup = { cpuCores: null, cpuUsedMs: 1000, memoryBytes: 1000, memoryUsedBytes: 250 };
    assert.deepEqual(await machine.measure(), { cpuUtilisation: 0.5, memoryUtilisation: 0.25, cores: 32, loadAverage1m: 8 });
  });
});

describe('limits of control groups', () => {
  const files = (texts: Readonly<Record<string, string>>) => (path: string) => texts[path] ?? null;
  const root = '/sys/fs/cgroup';

  test('are the tightest on the way up', () => {
    const read = files({
      [`${root}/cgroup.controllers`]: 'cpu memory\n',
      '/proc/self/cgroup': '0::/outer/inner\n',
      [`${root}/outer/inner/cpu.max`]: 'max 100000\n',
      [`${root}/outer/cpu.max`]: '150000 100000\n',
      [`${root}/outer/cpu.stat`]: 'usage_usec 2000000\nuser_usec 1\n',
      [`${root}/outer/inner/memory.max`]: '1073741824\n',
      [`${root}/outer/memory.max`]: 'max\n',
      [`${root}/outer/inner/memory.current`]: '600\n',
      [`${root}/outer/inner/memory.stat`]: 'anon 1\ninactive_file 100\n',
    });
    assert.deepEqual(readCgroup(read), { cpuCores: 1.5, cpuUsedMs: 2000, memoryBytes: 2 ** 30, memoryUsedBytes: 500 });
  });

  test('of the old kind are read as well', () => {
    const read = files({
      [`${root}/cpu/cpu.cfs_quota_us`]: '200000',
      [`${root}/cpu/cpu.cfs_period_us`]: '100000',
      [`${root}/cpuacct/cpuacct.usage`]: '3000000',
      [`${root}/memory/memory.limit_in_bytes`]: '9223372036854771712',
      [`${root}/memory/memory.usage_in_bytes`]: '500',
    });
    assert.deepEqual(readCgroup(read), { cpuCores: 2, cpuUsedMs: 3, memoryBytes: null, memoryUsedBytes: 500 });
  });

  test('that are none leave the machine as it is', () => {
    assert.equal(readCgroup(files({})), null);
    assert.equal(readCgroup(files({ [`${root}/cgroup.controllers`]: '', [`${root}/cpu.stat`]: 'usage_usec 5' })), null);
  });
});
