// Messages echoed on many WebSocket connections; the price is CPU time per message, there and back.
import { setTimeout as delay } from 'node:timers/promises';
import { startOwnOrigin, type StartOrigin } from '../origin.ts';
import type { Part } from '../scenarios/comparison.ts';
import { startStaged } from '../staged.ts';
import { measureCpu, type Figures, type Trial } from '../workload.ts';

async function measure(trial: Trial): Promise<Figures> {
  const { started, tls, connections, seconds, warmUpSeconds, signal } = trial;
  const load = await startStaged('websocket-process.ts', [started.port, connections, seconds, tls ? 'tls' : 'plain'], signal);
  try {
    // The connections are busy from the start on; making them is not part of what is measured.
    await delay(warmUpSeconds * 1000, undefined, { signal });
    return await measureCpu({ ...trial, warmUpSeconds: 0 }, () => load.work());
  } finally {
    await load.stop();
  }
}

export const echoes = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: () =>
    Promise.resolve({
      description: 'own generator in one process, 64 bytes a message, one on its way on each connection',
      rate: 'msg/s',
      cost: 'CPU µs/msg',
      measure,
    }),
});

export const startEchoOrigin: StartOrigin = async () => ({
  ...(await startOwnOrigin('echo-origin-process.ts')),
  description: 'own echo server in one process',
});
