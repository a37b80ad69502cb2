// What a program must offer to be measured beside the others: is it there, start it in front of the origin, which processes is it.
import type { CertificateFiles } from './certificate.ts';

/** Whether this machine has the program; `missing` is the command that installs it. */
export type Availability = { readonly ok: true; readonly version: string } | { readonly ok: false; readonly missing: string };

/** What is spoken on the two sides of a proxy. */
export interface Wiring {
  /** `tls+h2` offers HTTP/2 by ALPN. */
  readonly downstream: 'plain' | 'tls' | 'tls+h2';
  /** `h2c`: HTTP/2 without TLS, `tls`: the best the program can over TLS. A program that cannot speaks HTTP/1.1. */
  readonly upstream: 'http1' | 'h2c' | 'tls';
  /** Passes on WebSocket upgrades; nginx needs to be told. */
  readonly upgrades?: boolean;
}

export const PLAIN: Wiring = { downstream: 'plain', upstream: 'http1' };

/** Ports of 127.0.0.1 by what is spoken there; an origin without HTTP/2 or TLS has null. */
export type OriginPorts = Readonly<{ http1: number; h2c: number | null; tls: number | null }>;

export interface ContenderSetting {
  readonly wiring: Wiring;
  readonly origin: OriginPorts;
  /** For the listener; null when neither side has TLS. */
  readonly certificate: CertificateFiles | null;
  /** Client connections that will be open at once. */
  readonly connections: number;
  /** An empty directory of its own for generated configuration and state; removed by the caller. */
  readonly directory: string;
}

export interface StartedContender {
  /** On 127.0.0.1; it answers already. */
  readonly port: number;
  /** Every process of the program, whatever its job: all of them cost the host. */
  pids(): readonly number[];
  /** Those of them that carry the requests. */
  dataPlanePids(): readonly number[];
  /** Serves a changed configuration; resolves when every worker does. Absent: cannot tell when it is done. */
  readonly reload?: () => Promise<void>;
  stop(): Promise<void>;
}

export interface Contender {
  /** As `--contenders` names it. */
  readonly name: string;
  /** One line: with what settings it runs. */
  readonly summary: string;
  /** Client connections are multiplied by this; default 1. */
  readonly connectionsFactor?: number;
  available(): Promise<Availability>;
  start(setting: ContenderSetting): Promise<StartedContender>;
}

/** The port of the origin for what is spoken upstream. Fails when the origin has none. */
export function upstreamPort(origin: OriginPorts, upstream: Wiring['upstream']): number {
  const port = origin[upstream];
  if (port === null) throw new Error(`this origin does not speak ${upstream}; apt-get install nginx brings one that does`);
  return port;
}

/** The certificate of the setting. Fails when there is none. */
export function certificateOf({ certificate }: Pick<ContenderSetting, 'certificate'>): CertificateFiles {
  if (certificate === null) throw new Error('TLS needs a certificate');
  return certificate;
}
