// A change of the config under load: milliseconds until every worker serves it, and the requests that were lost meanwhile.
import { setTimeout as delay } from 'node:timers/promises';
import { chooseLoadDriver } from '../load-driver.ts';
import type { Part } from '../scenarios/comparison.ts';
import type { Figures, Trial } from '../workload.ts';

/** Load before and after the change, so that it falls into full work. */
const MARGIN_MS = 500;

export const reloads = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: async ({ options }) => {
    const driver = await chooseLoadDriver(options.load);
    const measure = async ({ name, started, ...trial }: Trial): Promise<Figures> => {
      if (started.reload === undefined) throw new Error(`${name} cannot tell when every process serves a new configuration`);
      const target = { port: started.port, tls: trial.tls, connections: trial.connections };
      if (trial.warmUpSeconds > 0) await driver.run({ ...target, seconds: trial.warmUpSeconds }, trial.signal);
      // At least as long as the change and both margins; the generator cannot be told to end.
      const load = driver.run({ ...target, seconds: Math.max(2, trial.seconds) }, trial.signal);
      const change = (async () => {
        await delay(MARGIN_MS);
        const startedAt = performance.now();
        await started.reload?.();
        return performance.now() - startedAt;
      })();
      const [done, took] = await Promise.all([load, change]);
      return {
        perSecond: done.requests / done.seconds,
        cost: took,
        dataPlaneCost: null,
        p50Ms: done.p50Ms,
        p99Ms: done.p99Ms,
        failed: done.failed,
      };
    };
    return { description: `${driver.description}; one change`, rate: 'req/s', cost: 'ms to serve it', measure };
  },
});
