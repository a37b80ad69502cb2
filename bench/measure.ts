// One measurement: a contender of its own, fresh, proved to pass requests on, worked on, and ended.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import type { Contender, Wiring } from './contender.ts';
import { ask } from './http-get.ts';
import { peakKiB } from './memory.ts';
import { ORIGIN_BODY, PROTOCOL_PATH, type StartedOrigin } from './origin.ts';
import type { Figures, Workload } from './workload.ts';

export interface Measurement extends Figures {
  /** Resident at most, of the processes that carry requests; null without any. */
  readonly peakMiB: number | null;
  /** As the origin saw it, such as HTTP/1.1; null when it does not tell. */
  readonly upstreamProtocol: string | null;
}

export interface MeasureSetting {
  readonly wiring: Wiring;
  readonly certificate: CertificateFiles | null;
  readonly origin: StartedOrigin;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Where the contender's directory is made. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

export interface Subject {
  readonly contender: Contender;
  readonly workload: Workload;
  readonly connections: number;
}

/** A figure is worth nothing if the answers do not come from the origin. Tells what the origin was spoken to in. */
async function proveItProxies(name: string, port: number, tls: boolean): Promise<string | null> {
  const answer = await ask({ port, tls }, '/');
  if (answer?.status !== 200 || answer.body !== ORIGIN_BODY) {
    const got = answer === null ? 'gave no answer' : `answered ${answer.status} with ${JSON.stringify(answer.body.slice(0, 200))}`;
    throw new Error(`${name} should answer 200 with the origin's body, but ${got}`);
  }
  const protocol = (await ask({ port, tls }, PROTOCOL_PATH))?.body ?? '';
  return /^HTTP\/[\d.]+$/.test(protocol) ? protocol : null;
}

/** Starts the contender, measures, ends it; whatever happens, nothing of it stays. */
export async function measure({ contender, workload, connections }: Subject, setting: MeasureSetting): Promise<Measurement> {
  const { wiring, certificate, origin, seconds, warmUpSeconds, signal } = setting;
  signal.throwIfAborted();
  await mkdir(setting.directory, { recursive: true });
  const directory = await mkdtemp(join(setting.directory, `${contender.name}-`));
  const open = connections * (contender.connectionsFactor ?? 1);
  const started = await contender.start({ wiring, origin: origin.ports, certificate, connections: open, directory });
  try {
    const tls = wiring.downstream !== 'plain';
    const upstreamProtocol = await proveItProxies(contender.name, started.port, tls);
    const trial = { name: contender.name, started, tls, connections: open, seconds, warmUpSeconds, signal };
    const figures = await workload.measure(trial);
    const carrying = started.dataPlanePids();
    return { ...figures, peakMiB: carrying.length === 0 ? null : peakKiB(carrying) / 1024, upstreamProtocol };
  } finally {
    await started.stop();
  }
}
