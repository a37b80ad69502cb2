// Bodies of 10 MB, down or up; the price is CPU time per megabyte.
import { runWrk, WRK_MISSING, wrkVersion } from '../load-driver.ts';
import { startOwnOrigin, type StartOrigin } from '../origin.ts';
import type { Part } from '../scenarios/comparison.ts';
import { measureCpu } from '../workload.ts';

const MEGABYTES = 10;

const transfers = (title: string, script: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: async () => {
    const version = await wrkVersion();
    if (version === null) throw new Error(WRK_MISSING);
    return {
      description: `${version}, 1 thread, ${MEGABYTES} MB (10^6 bytes each) a body`,
      rate: 'MB/s',
      cost: 'CPU µs/MB',
      measure: (trial) =>
        measureCpu(trial, async ({ started, tls, connections: open, signal }, seconds) => {
          const done = await runWrk({ port: started.port, tls, connections: open, seconds }, script, signal);
          return { ...done, requests: done.requests * MEGABYTES };
        }),
    };
  },
});

export const downloads = (title: string, connections: readonly number[]): Part => transfers(title, 'wrk-download.lua', connections);
export const uploads = (title: string, connections: readonly number[]): Part => transfers(title, 'wrk-upload.lua', connections);

/** Sends and takes large bodies. */
export const startTransferOrigin: StartOrigin = async () => ({
  ...(await startOwnOrigin('transfer-origin-process.ts')),
  description: 'own socket server in one process, 10 MB',
});
