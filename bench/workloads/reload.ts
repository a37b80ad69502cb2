// A change of the config under load: milliseconds until every worker serves it, and the requests that were lost meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { chooseLoadDriver, type LoadDriver } from '../load-driver.ts';
import type { LoadFigures } from '../load.ts';
import type { Part } from '../scenarios/comparison.ts';
import type { Figures, Trial } from '../workload.ts';

/** Full work before the change begins. */
const LEAD_MS = 500;

async function timed(act: () => Promise<void>): Promise<number> {
  await delay(LEAD_MS);
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

/** Load, again and again, as long as the change takes; the generator cannot be told to end. */
async function loadUntil(change: Promise<unknown>, load: () => Promise<LoadFigures>): Promise<LoadFigures> {
  let over = false;
  const noted = change.finally(() => (over = true)).catch(() => undefined);
  let total = await load();
  while (!over) {
    const { requests, seconds, failed, ...latency } = await load();
    total = { ...latency, requests: total.requests + requests, seconds: total.seconds + seconds, failed: total.failed + failed };
  }
  await noted;
  return total;
}

async function measure(driver: LoadDriver, { name, started, ...trial }: Trial): Promise<Figures> {
  const reload = started.reload;
  if (reload === undefined) throw new Error(`${name} cannot tell when every process serves a new configuration`);
  const target = { port: started.port, tls: trial.tls, connections: trial.connections };
  if (trial.warmUpSeconds > 0) await driver.run({ ...target, seconds: trial.warmUpSeconds }, trial.signal);
  const change = timed(reload);
  const done = await loadUntil(change, () => driver.run({ ...target, seconds: trial.seconds }, trial.signal));
  const { p50Ms, p99Ms, failed } = done;
  return { perSecond: done.requests / done.seconds, cost: await change, dataPlaneCost: null, p50Ms, p99Ms, failed };
}

export const reloads = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: async ({ options }) => {
    const driver = await chooseLoadDriver(options.load);
    const description = `${driver.description}; one change meanwhile`;
    return { description, rate: 'req/s', cost: 'ms to serve it', measure: (trial) => measure(driver, trial) };
  },
});
