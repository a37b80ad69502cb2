// HAProxy in HTTP mode: one thread, kept connections on both sides, no log.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contender } from '../contender.ts';
import { freePort, launch, outputOf, waitForPort } from '../processes.ts';

const config = (port: number, originPort: number): string => `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
frontend in
  bind 127.0.0.1:${port} backlog 4096
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort} pool-max-conn 1024
`;

export const haproxy: Contender = {
  name: 'haproxy',
  summary: 'HTTP mode, 1 thread, http-reuse always, 1024 idle connections kept to the origin',
  available: async () => {
    const version = /version (\S+)/.exec((await outputOf('haproxy', ['-v'])) ?? '')?.[1];
    return version === undefined ? { ok: false, missing: 'apt-get install haproxy' } : { ok: true, version };
  },
  start: async ({ originPort, directory }) => {
    const port = await freePort();
    const file = join(directory, 'haproxy.cfg');
    await writeFile(file, config(port, originPort));
    const running = await launch('haproxy', ['-db', '-f', file]);
    await waitForPort(running, 'HAProxy', port);
    const pids = (): readonly number[] => [running.pid];
    return { port, pids, dataPlanePids: pids, stop: () => running.stop() };
  },
};
