// Where Prometheus reads: GET /metrics on `metrics.bind`, and nothing else.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from './http-servers.ts';
import type { Bind } from '../config/config.ts';
import type { Log } from '../log.ts';

/** Scrapers are few; more connections than this are somebody's mistake. */
const MAX_CONNECTIONS = 64;

export interface MetricsText {
  readonly contentType: string;
  expose(): Promise<string>;
}

export class MetricsEndpoint {
  readonly #metrics: MetricsText;
  readonly #log: Log;
  #server: Server | null = null;

  constructor(metrics: MetricsText, log: Log) {
    this.#metrics = metrics;
    this.#log = log;
  }

  /** Rejects when the address cannot be listened on, with what to do about it. */
  async start(bind: Bind): Promise<void> {
    const server = createServer({ headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 30_000 }, (request, response) => {
      void this.#answer(request, response);
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const where = `metrics.bind ${bind.host}:${bind.port}`;
        const taken = `${where} is taken by another process: stop it (\`ss -ltnp\` shows it), or choose another port`;
        reject(new Error(error.code === 'EADDRINUSE' ? taken : `${where}: ${error.message}`, { cause: error }));
      });
      server.listen({ host: bind.host, port: bind.port }, resolve);
    });
    server.removeAllListeners('error');
    server.on('error', (error) => this.#log.warn({ problem: error.message }, 'metrics endpoint'));
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => void server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    if (request.url?.split('?')[0] !== '/metrics') {
      plain(response, 404, 'the metrics are at /metrics\n');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      plain(response, 405, 'the metrics are read with GET\n');
      return;
    }
    try {
      const text = await this.#metrics.expose();
      response.setHeader('content-type', this.#metrics.contentType);
      response.end(text);
    } catch (error) {
      this.#log.error({ problem: error instanceof Error ? error.message : String(error) }, 'metrics could not be written');
      plain(response, 500, 'an error inside weir; its log has the details\n');
    }
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(text);
}
