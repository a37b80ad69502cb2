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

/** Runs a generator to its end and returns what it wrote; ends it when `signal` aborts. */
export async function runGenerator(command: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const running = await launch(command, args);
  const abort = (): void => void running.stop();
  signal.addEventListener('abort', abort, { once: true });
  await running.exited;
  signal.removeEventListener('abort', abort);
  signal.throwIfAborted();
  return running.output();
}

async function figuresOf(command: string, args: readonly string[], signal: AbortSignal): Promise<LoadFigures> {
  const output = await runGenerator(command, args, signal);
  const figures = decodeFigures(output);
  if (figures === null) throw new Error(`${command} told no figures. It said:\n${output}`);
  return figures;
}

/** A generator of ours as a process, which prints its figures: `node SCRIPT ARGS`, a file of this folder. */
export function runOwn(script: string, args: readonly (string | number)[], signal: AbortSignal): Promise<LoadFigures> {
  return figuresOf(process.execPath, [join(import.meta.dirname, script), ...args.map(String)], signal);
}

/** wrk with a script of this folder that prints the figures; fails when there is no wrk. */
export function runWrk({ port, tls, connections, seconds }: LoadSetting, script: string, signal: AbortSignal): Promise<LoadFigures> {
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}/`;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', join(import.meta.dirname, script), url];
  return figuresOf('wrk', args, signal);
}

export const WRK_MISSING = 'wrk is not installed: apt-get install wrk';

/** The version of wrk; null without it. */
export async function wrkVersion(): Promise<string | null> {
  return /^wrk \S+/.exec((await outputOf('wrk', ['-v'])) ?? '')?.[0] ?? null;
}

const wrk = (version: string): LoadDriver => ({
  description: `${version}, 1 thread`,
  run: (setting, signal) => runWrk(setting, 'wrk-report.lua', signal),
});

const own: LoadDriver = {
  description: 'own load generator in one process (apt-get install wrk brings a lighter one)',
  run: ({ port, tls, connections, seconds }, signal) =>
    runOwn('load-process.ts', [port, connections, seconds, tls ? 'tls' : 'plain'], signal),
};

/** `auto` takes wrk when it is there. */
export async function chooseLoadDriver(wanted: 'auto' | 'wrk' | 'own'): Promise<LoadDriver> {
  const version = wanted === 'own' ? null : await wrkVersion();
  if (version !== null) return wrk(version);
  if (wanted === 'wrk') throw new Error(`${WRK_MISSING}, or use --load own`);
  return own;
}
