// Small GETs in a closed loop on kept HTTP/1.1 connections; the price is CPU time per request.
import { chooseLoadDriver } from '../load-driver.ts';
import type { Part } from '../scenarios/comparison.ts';
import { measureCpu, type Workload } from '../workload.ts';

/** The workload with the generator that was asked for. */
export async function requestsWorkload(load: 'auto' | 'wrk' | 'own'): Promise<Workload> {
  const driver = await chooseLoadDriver(load);
  return {
    description: driver.description,
    rate: 'req/s',
    cost: 'CPU µs/req',
    measure: (trial) =>
      measureCpu(trial, ({ started, tls, connections, signal }, seconds) =>
        driver.run({ port: started.port, tls, connections, seconds }, signal),
      ),
  };
}

export const requests = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: ({ options }) => requestsWorkload(options.load),
});
