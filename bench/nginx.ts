// nginx as this bench runs it, as a contender and as the origin: the part of its configuration that does not depend on the job.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, outputOf, waitForPort, type Running } from './processes.ts';

export const NGINX_MISSING = 'apt-get install nginx';

/** Root runs nginx workers as another user otherwise, who cannot enter the private directory. */
const RUNS_AS_ROOT = process.getuid?.() === 0;

/** So many requests on one connection, HTTP/2 included, that no connection ends during a run. */
export const NGINX_ENDLESS = 'keepalive_timeout 1h; keepalive_requests 1000000000;';

export interface NginxJob {
  readonly workers: number;
  /** Its own: configuration, pid file, temporary files. */
  readonly directory: string;
  /** Directives inside `http`. */
  readonly http: string;
}

export const nginxConfig = ({ workers, directory, http }: NginxJob): string => `
daemon off;
worker_processes ${workers};
worker_rlimit_nofile 65536;
${RUNS_AS_ROOT ? 'user root root;' : ''}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log crit;
events { worker_connections 32768; }
http {
  access_log off;
  default_type text/plain;
  ${NGINX_ENDLESS}
  client_max_body_size 0;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  ${http}
}
`;

/** The version that is installed; null: none. */
export async function nginxVersion(): Promise<string | null> {
  return (await outputOf('nginx', ['-v']))?.trim().replace(/^nginx version: nginx\//, '') ?? null;
}

/** Starts nginx and waits until it accepts connections on `port`. */
export async function startNginx(name: string, port: number, job: NginxJob): Promise<Running> {
  const file = join(job.directory, 'nginx.conf');
  await writeFile(file, nginxConfig(job));
  const running = await launch('nginx', ['-e', join(job.directory, 'error.log'), '-c', file]);
  await waitForPort(running, name, port);
  return running;
}
