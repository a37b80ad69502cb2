// The file that weir runs with in the bench: a split over two versions in two clusters, probes, metrics, admin API.
import { upstreamPort, type OriginPorts, type Wiring } from '../contender.ts';
import type { CertificateFiles } from '../certificate.ts';

/** What may differ between two weirs that are compared. */
export interface WeirSetting {
  readonly workers: number;
  /** Routes that the requests do not take. */
  readonly otherRoutes: number;
  readonly accessLog: boolean;
  /** Of the route that the requests take, in YAML. */
  readonly filters: string;
}

export interface WeirFile extends WeirSetting {
  readonly ports: { readonly listener: number; readonly admin: number; readonly metrics: number };
  readonly wiring: Wiring;
  readonly origin: OriginPorts;
  /** For the listener; null: plain. */
  readonly certificate: CertificateFiles | null;
  readonly directory: string;
}

const SCHEMES: Readonly<Record<Wiring['upstream'], string>> = { http1: 'http', h2c: 'h2c', tls: 'https' };

/** Connections last as long as those of the others. Protocols are offered by ALPN, so that `tls` and `tls+h2` are one setting, and the client of a scenario decides. */
function listener({ ports, certificate }: WeirFile): string {
  const tls = certificate === null ? '' : `, tls: { certificates: [{ cert: "${certificate.cert}", key: "${certificate.key}" }] }`;
  return `{ bind: "127.0.0.1:${ports.listener}", limits: { requestsPerConnection: 1000000000 }${tls} }`;
}

/** As the other contenders: TLS to the origin without a look at its certificate. */
function cluster({ wiring, origin }: WeirFile): string {
  const probe = wiring.upstream === 'h2c' ? 'tcp: true' : 'http: { path: / }';
  return `
    endpoints: ["${SCHEMES[wiring.upstream]}://127.0.0.1:${upstreamPort(origin, wiring.upstream)}"]
    health: { ${probe}, interval: 1s, timeout: 500ms }
    ${wiring.upstream === 'tls' ? 'tls: { verify: false }' : ''}
    maxConnections: 1024`;
}

/** Half of them by host and path, half by path on any host, as a grown config has them. */
function others(count: number): string {
  const line = (i: number): string => {
    const match = i % 2 === 0 ? `{ hosts: [shop-${i}.example.com], path: /api/v${i % 7} }` : `{ path: /team-${i % 97}/service-${i} }`;
    return `  - { name: other-${i}, match: ${match}, service: bench }\n`;
  };
  return Array.from({ length: count }, (_, i) => line(i)).join('');
}

export const weirConfig = (file: WeirFile): string => `
version: 1
host: { name: bench }
state: { dir: ${JSON.stringify(`${file.directory}/state`)} }
workers: ${file.workers}
drainDeadline: 1s
listeners:
  web: ${listener(file)}
admin: { bind: "127.0.0.1:${file.ports.admin}" }
metrics: { bind: "127.0.0.1:${file.ports.metrics}" }
${file.accessLog ? `accessLog: ${JSON.stringify(`${file.directory}/access.log`)}` : ''}
clusters:
  one:${cluster(file)}
  two:${cluster(file)}
services:
  bench:
    versions:
      blue: { clusters: { one: { weight: 70 }, two: { weight: 30 } } }
      green: { clusters: { one: { weight: 50 }, two: { weight: 50 } } }
    split: { blue: 90, green: 10 }
routes:
${others(file.otherRoutes)}  - { name: all, match: { path: / }, service: bench, filters: ${file.filters} }
`;
