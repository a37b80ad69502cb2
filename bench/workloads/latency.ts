// The tail of latency at half of the peak rate: the same open-loop load for every contender, so that p99 can be compared.
import { runOwn } from '../load-driver.ts';
import type { Part, Preparation } from '../scenarios/comparison.ts';
import type { Figures, Trial } from '../workload.ts';
import { requestsWorkload } from './requests.ts';

/** Half of what the slowest contender reaches in a closed loop, so that none is asked for more than half of its peak. */
async function halfOfPeak({ options, contenders, connections, tryOut }: Preparation): Promise<number> {
  const workload = await requestsWorkload(options.load);
  const peaks: number[] = [];
  for (const contender of contenders) {
    const { perSecond } = await tryOut({ contender, workload, connections });
    if (perSecond !== null) peaks.push(perSecond);
  }
  return Math.max(1, Math.floor(Math.min(...peaks) / 2));
}

export const latency = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: async (preparation) => {
    const rate = await halfOfPeak(preparation);
    const measure = async ({ name, started, tls, signal, ...trial }: Trial): Promise<Figures> => {
      const args = [started.port, trial.connections, trial.seconds, trial.warmUpSeconds, rate, tls ? 'tls' : 'plain'];
      const done = await runOwn('open-loop-process.ts', args, signal);
      if (done.p99Ms === null) throw new Error(`${name} answered nothing; ${done.failed} failed`);
      const { p50Ms, p99Ms, failed } = done;
      return { perSecond: done.requests / done.seconds, cost: p99Ms, dataPlaneCost: null, p50Ms, p99Ms, failed };
    };
    return { description: `open loop of ${rate} req/s, half of the lowest peak`, rate: 'req/s', cost: 'p99 ms', measure };
  },
});
