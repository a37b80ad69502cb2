// Answers the probes of a kubelet: whether the agent goes on at all, and whether it does what it is there for.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthQuestions {
  /** False: its work stands still, and only a new process helps. */
  readonly alive: () => boolean;
  /** One line; empty: a hub takes its reports, or another agent leads and this one waits. */
  readonly notReady: () => string;
}

export interface HealthEndpoint {
  /** Where it listens. */
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects when the address is taken. */
export async function openHealthEndpoint(
  { host, port }: { readonly host: string; readonly port: number },
  ask: HealthQuestions,
): Promise<HealthEndpoint> {
  const server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 1000, maxHeaderSize: 4096 },
    (request, response) => {
      const problem = problemOf(request.url ?? '', ask);
      response.writeHead(problem === null ? 404 : problem === '' ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(problem === null ? 'not found\n' : problem === '' ? 'ok\n' : `${problem}\n`);
    },
  );
  server.maxConnections = 16;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

/** Null: there is no such page; empty: all is well. */
function problemOf(path: string, ask: HealthQuestions): string | null {
  if (path === '/livez') return ask.alive() ? '' : 'the agent stands still';
  if (path === '/readyz') return ask.notReady();
  return null;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
