// New TLS connections, each for one request; the price is CPU time per connection.
import { runOwn } from '../load-driver.ts';
import type { Part } from '../scenarios/comparison.ts';
import { measureCpu } from '../workload.ts';

export const handshakes = (title: string, kind: 'new' | 'resumed', connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: () =>
    Promise.resolve({
      description: `own generator in one process, one request on each connection, sessions ${kind === 'new' ? 'not ' : ''}resumed`,
      rate: 'conn/s',
      cost: 'CPU µs/conn',
      measure: (trial) =>
        measureCpu(trial, ({ started, connections: lanes, signal }, seconds) =>
          runOwn('handshakes-process.ts', [started.port, lanes, seconds, kind], signal),
        ),
    }),
});
