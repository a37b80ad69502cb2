// The origin behind every contender: answers at once, with 100 bytes, and must never be what limits the measurement.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import type { OriginPorts } from './contender.ts';
import { nginxVersion, startNginx } from './nginx.ts';
import { freePort, launch, waitForPort } from './processes.ts';

/** What every response carries, so that a run can prove that answers came through. */
export const ORIGIN_BODY = 'weir-bench-'.padEnd(99, '.') + '\n';

/** Answers with the protocol of the request, such as HTTP/2.0. */
export const PROTOCOL_PATH = '/protocol';

export interface StartedOrigin {
  readonly ports: OriginPorts;
  /** What it is, for the heading of the results. */
  readonly description: string;
  stop(): Promise<void>;
}

/** Starts one in its own directory. */
export type StartOrigin = (directory: string, certificate: CertificateFiles | null) => Promise<StartedOrigin>;

function http({ http1, h2c, tls }: OriginPorts, certificate: CertificateFiles | null): string {
  const listen = (port: number | null, how: string): string =>
    port === null ? '' : `listen 127.0.0.1:${port} backlog=4096 reuseport ${how};`;
  const secure = certificate === null ? '' : `ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key};`;
  return `
  http2_max_concurrent_streams 1024;
  ssl_session_cache shared:tls:10m;
  server {
    ${listen(http1, '')}
    ${listen(h2c, 'http2')}
    ${listen(tls, 'ssl http2')}
    ${secure}
    location = ${PROTOCOL_PATH} { return 200 "$server_protocol"; }
    location / { return 200 "${ORIGIN_BODY.trimEnd()}\\n"; }
  }`;
}

/** nginx with two workers when it is installed; otherwise a raw socket server of ours, which speaks HTTP/1.1 without TLS only. */
export const startOrigin: StartOrigin = async (directory, certificate) => {
  const version = await nginxVersion();
  if (version === null) {
    const own = await startOwnOrigin('origin-process.ts');
    return { ...own, description: 'own socket server in one process (nginx is not installed; with it the origin is faster)' };
  }
  const ports = { http1: await freePort(), h2c: await freePort(), tls: certificate === null ? null : await freePort() };
  const workers = Math.max(2, availableParallelism());
  const running = await startNginx('the origin (nginx)', ports.http1, { workers, directory, http: http(ports, certificate) });
  return { ports, description: `nginx ${version}, ${workers} workers, 100 bytes`, stop: () => running.stop() };
};

/** An origin of ours as a process: `node SCRIPT PORT`, HTTP/1.1 without TLS. */
export async function startOwnOrigin(script: string): Promise<Omit<StartedOrigin, 'description'>> {
  const port = await freePort();
  const running = await launch(process.execPath, [join(import.meta.dirname, script), String(port)]);
  await waitForPort(running, 'the origin', port);
  return { ports: { http1: port, h2c: null, tls: null }, stop: () => running.stop() };
}
