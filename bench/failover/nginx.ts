// nginx before two clusters: what it has against lost origins is switched on.
import { NGINX_MISSING, nginxVersion, startNginx } from '../nginx.ts';
import { freePort } from '../processes.ts';
import type { Clusters, LossContender } from './contender.ts';

/** Two failures take a server out for ten seconds, which is the default; shared by both workers. */
const config = (port: number, { lost, kept }: Clusters): string => `
  upstream origin {
    zone origin 256k;
    least_conn;
    ${[...lost, ...kept].map((address) => `server ${address} max_fails=2 fail_timeout=10s;`).join('\n    ')}
    keepalive 128;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_connect_timeout 500ms; proxy_read_timeout 1s; proxy_send_timeout 1s;
      proxy_next_upstream error timeout http_502 http_503 http_504;
      proxy_next_upstream_tries 3;
    }
  }`;

export const nginx: LossContender = {
  name: 'nginx',
  summary: '2 workers, least_conn, max_fails=2 fail_timeout=10s, next upstream on error, time-out, 502, 503, 504; 3 tries of 1 s',
  available: async () => {
    const version = await nginxVersion();
    return version === null ? { ok: false, missing: NGINX_MISSING } : { ok: true, version };
  },
  start: async ({ clusters, directory }) => {
    const port = await freePort();
    const running = await startNginx('nginx', port, { workers: 2, directory, http: config(port, clusters) });
    return { port, stop: () => running.stop() };
  },
};
