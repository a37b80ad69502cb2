// Kept connections on which nothing happens; the price is memory of the processes that hold them.
import { setTimeout as delay } from 'node:timers/promises';
import { chooseLoadDriver, type LoadDriver } from '../load-driver.ts';
import { proportionalKiB } from '../memory.ts';
import type { Part } from '../scenarios/comparison.ts';
import { startStaged } from '../staged.ts';
import type { Figures, Trial } from '../workload.ts';

const WARM_UP_CONNECTIONS = 64;

/** Memory before and after, each at the end of `seconds` in which nothing happens, so that what is only garbage is gone. */
async function measure(driver: LoadDriver, trial: Trial): Promise<Figures> {
  const { started, tls, connections, seconds, warmUpSeconds, signal } = trial;
  const held = async (): Promise<number> => {
    await delay(seconds * 1000, undefined, { signal });
    return proportionalKiB(started.dataPlanePids());
  };
  if (warmUpSeconds > 0) await driver.run({ port: started.port, tls, connections: WARM_UP_CONNECTIONS, seconds: warmUpSeconds }, signal);
  const before = await held();
  const clients = await startStaged('idle-process.ts', [started.port, connections], signal);
  try {
    const after = await held();
    const { failed } = await clients.work();
    const cost = (after - before) / connections;
    return { perSecond: null, cost, dataPlaneCost: cost, p50Ms: null, p99Ms: null, failed };
  } finally {
    await clients.stop();
  }
}

export const idling = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: async ({ options }) => {
    const driver = await chooseLoadDriver(options.load);
    const description = `one request on each connection, then ${options.seconds} s of quiet; warm-up by ${driver.description}`;
    return { description, rate: '-', cost: 'KiB/connection', measure: (trial) => measure(driver, trial) };
  },
});
