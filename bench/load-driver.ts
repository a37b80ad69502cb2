// Who makes the load: wrk when it is installed, our own generator otherwise; both tell the same figures.
import { join } from 'node:path';
import { launch, outputOf } from './processes.ts';
import type { LoadFigures, LoadSetting } from './load.ts';

export interface LoadDriver {
  readonly description: string;
  /** Rejects when the generator itself fails; ends the generator when `signal` aborts. */
  run(setting: LoadSetting, signal: AbortSignal): Promise<LoadFigures>;
}

const isNumberOrNull = (value: unknown): value is number | null => value === null || typeof value === 'number';

/** Reads the last line a generator printed; null when it holds no figures. */
export function decodeFigures(output: string): LoadFigures | null {
  const line = output.trim().split('\n').at(-1) ?? '';
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { requests, seconds, failed, p50Ms, p99Ms }: Partial<Record<keyof LoadFigures, unknown>> = value;
  if (typeof requests !== 'number' || typeof seconds !== 'number' || typeof failed !== 'number') return null;
  if (!isNumberOrNull(p50Ms) || !isNumberOrNull(p99Ms)) return null;
  return { requests, seconds, failed, p50Ms, p99Ms };
}

async function figuresOf(command: string, args: readonly string[], signal: AbortSignal): Promise<LoadFigures> {
  signal.throwIfAborted();
  const running = await launch(command, args);
  const abort = (): void => void running.stop();
  signal.addEventListener('abort', abort, { once: true });
  await running.exited;
  signal.removeEventListener('abort', abort);
  signal.throwIfAborted();
  const figures = decodeFigures(running.output());
  if (figures === null) throw new Error(`${command} told no figures. It said:\n${running.output()}`);
  return figures;
}

const wrk = (version: string): LoadDriver => ({
  description: `${version}, 1 thread`,
  run: ({ port, connections, seconds }, signal) => {
    const report = join(import.meta.dirname, 'wrk-report.lua');
    const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', report, `http://127.0.0.1:${port}/`];
    return figuresOf('wrk', args, signal);
  },
});

const own: LoadDriver = {
  description: 'own load generator in one process (apt-get install wrk brings a lighter one)',
  run: ({ port, connections, seconds }, signal) => {
    const program = join(import.meta.dirname, 'load-process.ts');
    return figuresOf(process.execPath, [program, String(port), String(connections), String(seconds)], signal);
  },
};

/** `auto` takes wrk when it is there. */
export async function chooseLoadDriver(wanted: 'auto' | 'wrk' | 'own'): Promise<LoadDriver> {
  if (wanted === 'own') return own;
  const version = /^wrk \S+/.exec((await outputOf('wrk', ['-v'])) ?? '')?.[0];
  if (version !== undefined) return wrk(version);
  if (wanted === 'wrk') throw new Error('wrk is not installed: apt-get install wrk, or use --load own');
  return own;
}
