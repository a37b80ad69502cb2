// A load generator that opens its connections, waits to be told, works, and holds the connections until it is ended: both sides of that.
import { join } from 'node:path';
import { decodeFigures } from './load-driver.ts';
import type { LoadFigures } from './load.ts';
import { launch, waitUntil } from './processes.ts';

const READY = 'ready\n';
/** Tells the generator to start counting. */
const START = 'SIGUSR2';
/** Ten thousand connections through a proxy that is not warm. */
const OPEN_DEADLINE_MS = 120_000;
const WORK_DEADLINE_MS = 600_000;

/** In the generator: says that every connection is open, and resolves when the other side starts the work. */
export function readyForStart(): Promise<void> {
  const told = new Promise<void>((resolve) => process.once(START, () => resolve()));
  process.stdout.write(READY);
  return told;
}

/** In the generator, at its end. Open sockets keep it alive until it is ended. */
export function printFigures(figures: LoadFigures): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

export interface StagedLoad {
  /** Starts the work and resolves with its figures; the connections stay open. */
  work(): Promise<LoadFigures>;
  stop(): Promise<void>;
}

/** Starts a generator, a file of this folder; resolves when all its connections are open. */
export async function startStaged(script: string, args: readonly (string | number)[], signal: AbortSignal): Promise<StagedLoad> {
  const running = await launch(process.execPath, [join(import.meta.dirname, script), ...args.map(String)]);
  const abort = (): void => void running.stop();
  signal.addEventListener('abort', abort, { once: true });
  const stop = async (): Promise<void> => {
    signal.removeEventListener('abort', abort);
    await running.stop();
  };
  try {
    const isReady = (): Promise<boolean> => Promise.resolve(running.output().includes(READY));
    await waitUntil(running, 'the load generator should open its connections', isReady, OPEN_DEADLINE_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  const work = async (): Promise<LoadFigures> => {
    process.kill(running.pid, START);
    const isDone = (): Promise<boolean> => Promise.resolve(decodeFigures(running.output()) !== null);
    await waitUntil(running, 'the load generator should tell its figures', isDone, WORK_DEADLINE_MS);
    const figures = decodeFigures(running.output());
    if (figures === null) throw new Error(`the load generator told no figures. It said:\n${running.output()}`);
    return figures;
  };
  return { work, stop };
}
