// The two endpoints of the admin API that the dashboard reads, on a real unix socket, with statuses that a test chooses.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { StatusView } from '../../balancer/controller/api/views.ts';

export class StatusServer implements AsyncDisposable {
  /** Method and path of everything that was asked, so that a test sees that nothing but reading happened. */
  readonly asked: string[] = [];
  #status: StatusView;
  #ticks = 0;
  readonly #startedMs = performance.now();
  readonly #server: Server;
  readonly #watchers = new Set<ServerResponse>();
  readonly #everyMs: number;

  /** Sends the status anew `everyMs`, with its time moved on. */
  constructor(status: StatusView, everyMs: number) {
    this.#status = status;
    this.#everyMs = everyMs;
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      if (request.url === '/v1/status') {
        response.setHeader('content-type', 'application/json').end(JSON.stringify(this.#now()));
      } else if (request.url === '/v1/watch') {
        this.#watch(response.setHeader('content-type', 'application/x-ndjson'));
      } else {
        response.writeHead(404).end();
      }
    });
  }

  /** Statuses sent so far over all streams. */
  get ticks(): number {
    return this.#ticks;
  }

  async start(socketPath: string): Promise<void> {
    this.#server.listen(socketPath);
    await once(this.#server, 'listening');
  }

  /** What is sent from now on, at once to those who watch. */
  publish(status: StatusView): void {
    this.#status = status;
    for (const watcher of this.#watchers) this.#send(watcher);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  #now(): StatusView {
    return { ...this.#status, at: new Date(Date.parse(this.#status.at) + performance.now() - this.#startedMs).toISOString() };
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
