// HAProxy before two clusters: what it has against lost servers is switched on.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { haproxyAvailable } from '../contenders/haproxy.ts';
import { freePort, launch, waitForPort } from '../processes.ts';
import { HEALTH_PATH, type Clusters, type LossContender } from './contender.ts';

const config = (port: number, { lost, kept }: Clusters): string => `
global
  nbthread 2
  maxconn 8192
defaults
  mode http
  timeout connect 500ms
  timeout server 1s
  timeout client 1h
  timeout check 500ms
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response junk-response response-timeout 502 503 504
  http-reuse always
frontend in
  bind 127.0.0.1:${port} backlog 4096
  default_backend origin
backend origin
  balance leastconn
  option httpchk GET ${HEALTH_PATH}
  default-server check inter 1s fastinter 250ms downinter 1s fall 3 rise 2 observe layer7 error-limit 10 on-error mark-down
  ${[...lost, ...kept].map((address, index) => `server s${index} ${address}`).join('\n  ')}
`;

export const haproxy: LossContender = {
  name: 'haproxy',
  summary:
    '2 threads, leastconn, checks every second (fall 3), observe layer7, retries 3 with redispatch on everything that may be repeated; tries of 1 s',
  available: haproxyAvailable,
  start: async ({ clusters, directory }) => {
    const port = await freePort();
    const file = join(directory, 'haproxy.cfg');
    await writeFile(file, config(port, clusters));
    const running = await launch('haproxy', ['-db', '-f', file]);
    await waitForPort(running, 'HAProxy', port);
    return { port, stop: () => running.stop() };
  },
};
