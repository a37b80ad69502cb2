// nginx as a reverse proxy: one worker, kept connections on both sides, no access log, nothing added to requests.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender } from '../contender.ts';
import { withDescendants } from '../cpu.ts';
import { freePort, launch, outputOf, RUNS_AS_ROOT, waitForPort } from '../processes.ts';

const config = (port: number, originPort: number, directory: string): string => `
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
${RUNS_AS_ROOT ? 'user root root;' : ''}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log crit;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;

export const nginx: Contender = {
  name: 'nginx',
  summary: '1 worker, 1024 idle connections kept to the origin',
  available: async () => {
    const version = (await outputOf('nginx', ['-v']))?.trim().replace(/^nginx version: nginx\//, '');
    return version === undefined ? { ok: false, missing: 'apt-get install nginx' } : { ok: true, version };
  },
  start: async ({ originPort, directory }) => {
    const port = await freePort();
    const file = join(directory, 'nginx.conf');
    await writeFile(file, config(port, originPort, directory));
    const running = await launch('nginx', ['-e', join(directory, 'error.log'), '-c', file]);
    await waitForPort(running, 'nginx', port);
    const pids = (): readonly number[] => withDescendants(running.pid);
    return { port, pids, dataPlanePids: () => pids().filter((pid) => pid !== running.pid), stop: () => running.stop() };
  },
};
