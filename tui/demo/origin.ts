// A cluster's origin: a real HTTP server that says who answered, after the time its distance takes.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../../health/clock.ts';
import { versionOfHost } from './layout.ts';

export interface OriginSetting {
  readonly cluster: string;
  readonly latencyMs: number;
}

const HEALTH_PATH = '/healthz';
/** Longer than the balancer keeps an idle connection, so that this side never closes one under a request. */
const KEEP_ALIVE_MS = 300_000;

/** The origin, not yet listening. */
export function createOrigin(setting: OriginSetting, clock: Clock): Server {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url ?? '/';
    const version = versionOfHost(request.headers.host ?? '') ?? 'unknown';
    const text = JSON.stringify({ cluster: setting.cluster, version, path }) + '\n';
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  };
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    // A body that nobody reads would keep the next request on the connection waiting.
    request.resume();
    if (request.url === HEALTH_PATH) {
      response.writeHead(204).end();
      return;
    }
    const timer = clock.after(setting.latencyMs, () => answer(request, response));
    response.once('close', () => timer.cancel());
  });
}
