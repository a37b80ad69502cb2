// nginx as a reverse proxy: one worker, kept connections on both sides, no access log, nothing added to requests.
import { certificateOf, upstreamPort, type Contender, type ContenderSetting } from '../contender.ts';
import { withDescendants } from '../cpu.ts';
import { NGINX_ENDLESS, NGINX_MISSING, nginxVersion, startNginx } from '../nginx.ts';
import { freePort } from '../processes.ts';

function listening(port: number, { wiring, ...setting }: ContenderSetting): string {
  const address = `listen 127.0.0.1:${port} backlog=4096`;
  if (wiring.downstream === 'plain') return `${address};`;
  const { cert, key } = certificateOf(setting);
  return `${address} ssl${wiring.downstream === 'tls+h2' ? ' http2' : ''};
    ssl_certificate ${cert}; ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;`;
}

/** It has no HTTP/2 towards origins: where others speak it, nginx speaks HTTP/1.1 on a pool that holds every connection. */
function proxying(port: number, setting: ContenderSetting): string {
  const { wiring, origin } = setting;
  const secure = wiring.upstream === 'tls';
  const connection = wiring.upgrades === true ? 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";' : '';
  return `
  upstream origin {
    server 127.0.0.1:${secure ? upstreamPort(origin, 'tls') : origin.http1};
    keepalive 1024;
    ${NGINX_ENDLESS}
  }
  server {
    ${listening(port, setting)}
    location / {
      proxy_pass ${secure ? 'https' : 'http'}://origin;
      proxy_http_version 1.1;
      ${connection === '' ? 'proxy_set_header Connection "";' : connection}
      proxy_read_timeout 1h; proxy_send_timeout 1h;
      # Streams bodies both ways, as the others do, instead of writing them to files first.
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }
  }`;
}

export const nginx: Contender = {
  name: 'nginx',
  summary: '1 worker, 1024 idle connections kept to the origin, HTTP/1.1 to it always, TLS sessions to it reused, bodies streamed',
  available: async () => {
    const version = await nginxVersion();
    return version === null ? { ok: false, missing: NGINX_MISSING } : { ok: true, version };
  },
  start: async (setting) => {
    const port = await freePort();
    const running = await startNginx('nginx', port, { workers: 1, directory: setting.directory, http: proxying(port, setting) });
    const pids = (): readonly number[] => withDescendants(running.pid);
    return { port, pids, dataPlanePids: () => pids().filter((pid) => pid !== running.pid), stop: () => running.stop() };
  },
};
