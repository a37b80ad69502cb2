// The origin behind every contender: answers at once, with 100 bytes, and must never be what limits the measurement.
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { freePort, launch, outputOf, RUNS_AS_ROOT, waitForPort } from './processes.ts';

/** What every response carries, so that a run can prove that answers came through. */
export const ORIGIN_BODY = 'weir-bench-'.padEnd(99, '.') + '\n';

export interface StartedOrigin {
  readonly port: number;
  /** What it is, for the heading of the results. */
  readonly description: string;
  stop(): Promise<void>;
}

const nginxOriginConfig = (port: number, directory: string): string => `
daemon off;
worker_processes ${availableParallelism()};
worker_rlimit_nofile 65536;
${RUNS_AS_ROOT ? 'user root root;' : ''}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log crit;
events { worker_connections 16384; }
http {
  access_log off;
  default_type text/plain;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen 127.0.0.1:${port} backlog=4096 reuseport;
    location / { return 200 "${ORIGIN_BODY.trimEnd()}\\n"; }
  }
}
`;

/** nginx with a worker per core when it is installed; otherwise a raw socket server of ours in a process of its own. */
export async function startOrigin(directory: string): Promise<StartedOrigin> {
  const port = await freePort();
  const version = await outputOf('nginx', ['-v']);
  if (version === null) {
    const running = await launch(process.execPath, [join(import.meta.dirname, 'origin-process.ts'), String(port)]);
    await waitForPort(running, 'the origin', port);
    return {
      port,
      description: 'own socket server in one process (nginx is not installed; with it the origin is faster)',
      stop: () => running.stop(),
    };
  }
  const file = join(directory, 'nginx.conf');
  await writeFile(file, nginxOriginConfig(port, directory));
  const running = await launch('nginx', ['-e', join(directory, 'error.log'), '-c', file]);
  await waitForPort(running, 'the origin (nginx)', port);
  return { port, description: `${version.trim()}, ${availableParallelism()} workers, 100 bytes`, stop: () => running.stop() };
}
