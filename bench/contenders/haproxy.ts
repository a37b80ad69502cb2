// HAProxy in HTTP mode: one thread, kept connections on both sides, no log.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateOf, upstreamPort, type Availability, type Contender, type ContenderSetting, type Wiring } from '../contender.ts';
import { freePort, launch, outputOf, waitForPort } from '../processes.ts';

const TO_ORIGIN: Readonly<Record<Wiring['upstream'], string>> = { http1: '', h2c: 'proto h2', tls: 'ssl verify none alpn h2' };

function listening({ wiring, ...setting }: ContenderSetting): string {
  if (wiring.downstream === 'plain') return '';
  const protocols = wiring.downstream === 'tls+h2' ? 'h2,http/1.1' : 'http/1.1';
  return `ssl crt ${certificateOf(setting).both} alpn ${protocols}`;
}

const config = (port: number, setting: ContenderSetting): string => `
global
  nbthread 1
  maxconn 8192
  # Which server certificates are accepted, and how far streams of one connection go, is not what is compared.
  ssl-server-verify none
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  http-reuse always
frontend in
  bind 127.0.0.1:${port} backlog 4096 ${listening(setting)}
  default_backend origin
backend origin
  server origin 127.0.0.1:${upstreamPort(setting.origin, setting.wiring.upstream)} pool-max-conn 1024 ${TO_ORIGIN[setting.wiring.upstream]}
`;

/** Whether it is installed. */
export async function haproxyAvailable(): Promise<Availability> {
  const version = /version (\S+)/.exec((await outputOf('haproxy', ['-v'])) ?? '')?.[1];
  return version === undefined ? { ok: false, missing: 'apt-get install haproxy' } : { ok: true, version };
}

export const haproxy: Contender = {
  name: 'haproxy',
  summary: 'HTTP mode, 1 thread, http-reuse always, 1024 idle connections kept to the origin',
  available: haproxyAvailable,
  start: async (setting) => {
    const port = await freePort();
    const file = join(setting.directory, 'haproxy.cfg');
    await writeFile(file, config(port, setting));
    const running = await launch('haproxy', ['-db', '-f', file]);
    await waitForPort(running, 'HAProxy', port);
    const pids = (): readonly number[] => [running.pid];
    return { port, pids, dataPlanePids: pids, stop: () => running.stop() };
  },
};
