// Where Prometheus reads: GET /metrics on `metrics.bind`, and nothing else.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import { createServer } from './http-servers.ts';
import type { Bind } from '../config/config.ts';
import type { Log } from '../log.ts';
import { CONTENT_TYPES, formatFor, type ExpositionFormat } from '../telemetry/exposition.ts';

/** Scrapers are few; more connections than this are somebody's mistake. */
const MAX_CONNECTIONS = 64;

/** What is read, in pieces, each made when the one before has been taken. Empty ones are none: they are only time for others. Throws where there is nothing to be read. */
export type ReadMetrics = (format: ExpositionFormat) => Iterable<string>;

export class MetricsEndpoint {
  readonly #read: ReadMetrics;
  readonly #log: Log;
  #server: Server | null = null;

  constructor(read: ReadMetrics, log: Log) {
    this.#read = read;
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
    const format = formatFor(request.headers.accept);
    try {
      const pieces = this.#read(format);
      response.setHeader('content-type', CONTENT_TYPES[format]);
      response.setHeader('vary', 'accept, accept-encoding');
      if (request.method === 'HEAD') response.end();
      else await send(pieces, request, response);
    } catch (error) {
      // Who asked may leave in the middle.
      if (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
      this.#log.error({ problem: error instanceof Error ? error.message : String(error) }, 'metrics could not be written');
      if (!response.headersSent && !response.destroyed) plain(response, 500, 'an error inside weir; its log has the details\n');
    }
  }
}

/** Lines repeat each other: the fastest compression makes a twentieth of them, on a thread of its own. */
async function send(pieces: Iterable<string>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const source = Readable.from(inTurns(pieces), { objectMode: false });
  if (!acceptsGzip(request.headers['accept-encoding'])) return pipeline(source, response);
  response.setHeader('content-encoding', 'gzip');
  return pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response);
}

/** Whatever else the controller has to do comes between two pieces. */
async function* inTurns(pieces: Iterable<string>): AsyncGenerator<Buffer, void> {
  for (const piece of pieces) {
    if (piece !== '') yield Buffer.from(piece);
    await nextTurn();
  }
}

function acceptsGzip(field: string | string[] | undefined): boolean {
  return /(?:^|,)\s*gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))/i.test(String(field ?? ''));
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.removeHeader('content-encoding');
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(text);
}
