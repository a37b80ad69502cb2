// The endpoints of the admin API that the dashboard reads, on a real unix socket, with statuses that a test chooses.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import fastifyWebsocket from '@fastify/websocket';
import { fastify } from 'fastify';
import type { EventView, FeedView, StatusView } from '../../balancer/controller/api/views.ts';
import { LiveFeed } from '../../balancer/controller/api/live-feed.ts';
import { systemClock } from '../../health/clock.ts';
import { extrasView } from './feed-extras.ts';

export interface StatusServerOptions {
  /** False: an appliance from before there was a feed. */
  readonly feed?: boolean;
  /** What other requests are answered with, by method and path; absent: 404. */
  readonly answers?: Readonly<Record<string, (body: unknown) => { readonly status: number; readonly value: unknown }>>;
}

export class StatusServer implements AsyncDisposable {
  /** Method and path of everything that was asked, so that a test sees that nothing but reading happened. */
  readonly asked: string[] = [];
  #status: StatusView;
  #ticks = 0;
  readonly #startedMs = performance.now();
  readonly #server: Server;
  readonly #watchers = new Set<ServerResponse>();
  readonly #upgraded = new Set<Socket>();
  readonly #subscribers = new Set<(event: EventView) => void>();
  readonly #everyMs: number;
  readonly #options: StatusServerOptions;
  readonly #feed: LiveFeed;
  readonly #app = fastify();

  /** Sends the status anew `everyMs`, with its time moved on. */
  constructor(status: StatusView, everyMs: number, options: StatusServerOptions = {}) {
    this.#status = status;
    this.#everyMs = everyMs;
    this.#options = options;
    this.#feed = new LiveFeed({
      epoch: 'test',
      clock: systemClock,
      appliance: {
        feed: () => this.#document(),
        subscribe: (onEvent) => {
          this.#subscribers.add(onEvent);
          return () => void this.#subscribers.delete(onEvent);
        },
      },
    });
    void this.#app.register(fastifyWebsocket);
    void this.#app.register((scope, _options, done) => {
      scope.get<{ Querystring: { epoch?: string; number?: string } }>('/v1/feed', { websocket: true }, (socket, { query }) => {
        const { epoch, number } = query;
        this.#feed.add(socket, this.#status.role, epoch === undefined ? null : { epoch, number: Number(number) });
      });
      done();
    });
    this.#server = createServer((request, response) => this.#answer(String(request.method), String(request.url), { request, response }));
    this.#server.on('upgrade', (request, socket: Socket, head) => {
      this.asked.push(`${request.method} ${String(request.url).split('?')[0]}`);
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      if (options.feed === false) socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
      else this.#app.server.emit('upgrade', request, socket, head);
    });
  }

  /** Statuses sent so far over all streams. */
  get ticks(): number {
    return this.#ticks;
  }

  async start(socketPath: string): Promise<void> {
    await this.#app.ready();
    this.#server.listen(socketPath);
    await once(this.#server, 'listening');
    this.#repeat();
  }

  /** What is sent from now on, at once to those who watch. */
  publish(status: StatusView): void {
    this.#status = status;
    for (const watcher of this.#watchers) this.#send(watcher);
    this.#tell();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
    await this.#app.close();
  }

  #answer(
    method: string,
    url: string,
    { request, response }: { readonly request: NodeJS.ReadableStream; readonly response: ServerResponse },
  ): void {
    const path = url.split('?')[0] ?? '';
    this.asked.push(`${method} ${path}`);
    const answer = this.#options.answers?.[`${method} ${path}`];
    if (path === '/v1/status') {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(this.#now()));
    } else if (path === '/v1/watch') {
      this.#watch(response.setHeader('content-type', 'application/x-ndjson'));
    } else if (answer !== undefined) {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        const { status, value } = answer(text === '' ? null : JSON.parse(text));
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      });
    } else {
      response.writeHead(404).end();
    }
  }

  /** Every so often something happens, which makes the feed look at once. */
  #repeat(): void {
    const sending = setInterval(() => this.#tell(), this.#everyMs);
    this.#server.once('close', () => clearInterval(sending));
  }

  #tell(): void {
    for (const tell of this.#subscribers)
      tell({ sequence: 0, at: this.#status.at, kind: 'controller', code: 'controller.started', severity: 'info', text: '' });
  }

  #now(): StatusView {
    return { ...this.#status, at: new Date(Date.parse(this.#status.at) + performance.now() - this.#startedMs).toISOString() };
  }

  #document(): FeedView {
    this.#ticks += 1;
    return { status: this.#now(), ...extrasView(this.#status, Math.floor(performance.now() / 1000)) };
  }

  #watch(response: ServerResponse): void {
    this.#watchers.add(response);
    this.#send(response);
    const sending = setInterval(() => this.#send(response), this.#everyMs);
    response.once('close', () => {
      clearInterval(sending);
      this.#watchers.delete(response);
    });
  }

  #send(response: ServerResponse): void {
    this.#ticks += 1;
    response.write(`${JSON.stringify(this.#now())}\n`);
  }
}
