// One measurement: a contender of its own, fresh, warmed up, loaded for some seconds, with its CPU time before and after.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender, StartedContender } from './contender.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import type { LoadDriver } from './load-driver.ts';
import { ORIGIN_BODY, type StartedOrigin } from './origin.ts';

export interface Measurement {
  readonly requestsPerSecond: number;
  /** CPU of all processes of the contender, microseconds per request. */
  readonly cpuPerRequest: number;
  /** CPU of the processes that carry requests. */
  readonly dataPlaneCpuPerRequest: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly failed: number;
}

export interface MeasureSetting {
  readonly contender: Contender;
  readonly origin: StartedOrigin;
  readonly driver: LoadDriver;
  readonly connections: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where the contender's directory is made. */
  readonly directory: string;
}

/** A figure is worth nothing if the answers do not come from the origin. */
async function proveItProxies(name: string, port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  const body = await response.text();
  if (response.status !== 200 || body !== ORIGIN_BODY) {
    throw new Error(
      `${name} should answer 200 with the origin's body, but answered ${response.status} with ${JSON.stringify(body.slice(0, 200))}`,
    );
  }
}

async function load(started: StartedContender, setting: MeasureSetting, signal: AbortSignal): Promise<Measurement> {
  const { contender, driver, connections, seconds, warmUpSeconds } = setting;
  const target = { port: started.port, connections };
  await proveItProxies(contender.name, started.port);
  if (warmUpSeconds > 0) await driver.run({ ...target, seconds: warmUpSeconds }, signal);
  const allBefore = readCpu(started.pids());
  const dataPlaneBefore = readCpu(started.dataPlanePids());
  const figures = await driver.run({ ...target, seconds }, signal);
  const all = cpuBetween(allBefore, readCpu(started.pids()));
  const dataPlane = cpuBetween(dataPlaneBefore, readCpu(started.dataPlanePids()));
  if (all.lost > 0) throw new Error(`${all.lost} process(es) of ${contender.name} ended during the measurement`);
  if (figures.requests === 0) throw new Error(`${contender.name} answered no request; ${figures.failed} failed`);
  return {
    requestsPerSecond: figures.requests / figures.seconds,
    cpuPerRequest: all.microseconds / figures.requests,
    dataPlaneCpuPerRequest: dataPlane.microseconds / figures.requests,
    p50Ms: figures.p50Ms,
    p99Ms: figures.p99Ms,
    failed: figures.failed,
  };
}

/** Starts the contender, measures, ends it; whatever happens, nothing of it stays. */
export async function measure(setting: MeasureSetting, signal: AbortSignal): Promise<Measurement> {
  signal.throwIfAborted();
  await mkdir(setting.directory, { recursive: true });
  const directory = await mkdtemp(join(setting.directory, `${setting.contender.name}-`));
  const started = await setting.contender.start({ originPort: setting.origin.port, connections: setting.connections, directory });
  try {
    return await load(started, setting, signal);
  } finally {
    await started.stop();
  }
}
