// Open-loop load: requests leave at times fixed beforehand, whether answers are there or not; latency counts from those times.
import type { Socket } from 'node:net';
import { Histogram } from './histogram.ts';
import { openSocket, readAnswerHead, type LoadFigures, type LoadSetting } from './load.ts';

/**
 * When requests are meant to leave. Times lie on whole milliseconds, because timers do: the requests of a millisecond leave together.
 * A request that leaves late, because the generator or every connection was busy, still counts from its time ("coordinated omission").
 */
export class Schedule {
  readonly #ratePerSecond: number;
  readonly #startMs: number;
  #next = 0;

  constructor(ratePerSecond: number, startMs: number) {
    this.#ratePerSecond = ratePerSecond;
    this.#startMs = startMs;
  }

  /** The time of the next request that is due, and on to the one after it; null when none is due. */
  take(nowMs: number): number | null {
    const dueMs = this.#startMs + Math.floor((this.#next * 1000) / this.#ratePerSecond);
    if (dueMs > nowMs) return null;
    this.#next += 1;
    return dueMs;
  }
}

export interface OpenLoopSetting extends LoadSetting {
  readonly ratePerSecond: number;
  /** Seconds of load before the counted ones. */
  readonly warmUpSeconds: number;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
/** How long answers that are still missing at the end are waited for; those that stay away are failures. */
const GRACE_MS = 2_000;

/** Milliseconds on the clock that timers go by. */
const nowMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

class OpenLoop {
  readonly #latency = new Histogram();
  readonly #idle: Socket[] = [];
  readonly #sockets = new Set<Socket>();
  /** Times of requests that wait for a connection; taken from the front by `#first`. */
  readonly #waiting: number[] = [];
  #first = 0;
  /** The time of the request that each busy connection carries. */
  readonly #inFlight = new Map<Socket, number>();
  #failed = 0;
  /** Requests before it are not counted. */
  readonly #countFromMs: number;

  constructor(countFromMs: number) {
    this.#countFromMs = countFromMs;
  }

  /** Resolves when the connection can be used. */
  open(port: number, tls: boolean): Promise<void> {
    const socket = openSocket(port, tls);
    this.#sockets.add(socket);
    let received = '';
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      this.#idle.push(socket);
      resolve(undefined);
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const head = readAnswerHead(received);
      if (head === null || received.length < head.totalBytes) return;
      received = received.slice(head.totalBytes);
      this.#answered(socket, head.ok);
    });
    socket.on('error', reject);
    socket.once('close', () => this.#closed(socket));
    return promise;
  }

  request(dueMs: number): void {
    this.#waiting.push(dueMs);
    const socket = this.#idle.pop();
    if (socket !== undefined) this.#sendNext(socket);
  }

  #sendNext(socket: Socket): void {
    const dueMs = this.#waiting[this.#first];
    if (dueMs === undefined) {
      this.#idle.push(socket);
      return;
    }
    this.#first += 1;
    this.#inFlight.set(socket, dueMs);
    socket.write(REQUEST);
  }

  #answered(socket: Socket, ok: boolean): void {
    const dueMs = this.#inFlight.get(socket);
    if (dueMs === undefined) {
      socket.destroy(new Error('an answer nobody asked for'));
      return;
    }
    this.#inFlight.delete(socket);
    if (!ok) this.#failed += 1;
    else if (dueMs >= this.#countFromMs) this.#latency.record((nowMs() - dueMs) * 1000);
    this.#sendNext(socket);
  }

  #closed(socket: Socket): void {
    this.#sockets.delete(socket);
    const place = this.#idle.indexOf(socket);
    if (place >= 0) this.#idle.splice(place, 1);
    if (!this.#inFlight.delete(socket)) return;
    this.#failed += 1;
  }

  get missing(): number {
    return this.#inFlight.size + this.#waiting.length - this.#first;
  }

  finish(seconds: number): LoadFigures {
    const failed = this.#failed + this.missing;
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
    const inMs = (microseconds: number | null): number | null => (microseconds === null ? null : microseconds / 1000);
    const { total } = this.#latency;
    return { requests: total, seconds, failed, p50Ms: inMs(this.#latency.percentile(0.5)), p99Ms: inMs(this.#latency.percentile(0.99)) };
  }
}

/** One turn of the event loop a millisecond, as good as timers are. */
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Opens all connections, then sends at the rate; rejects when a connection cannot be made. */
export async function runOpenLoop(setting: OpenLoopSetting): Promise<LoadFigures> {
  const { port, tls, connections, seconds, warmUpSeconds, ratePerSecond } = setting;
  const startMs = Math.ceil(nowMs()) + 500;
  const countFromMs = startMs + warmUpSeconds * 1000;
  const endMs = countFromMs + seconds * 1000;
  const loop = new OpenLoop(countFromMs);
  await Promise.all(Array.from({ length: connections }, () => loop.open(port, tls)));
  const schedule = new Schedule(ratePerSecond, startMs);
  for (let now = nowMs(); now < endMs; now = nowMs()) {
    for (let due = schedule.take(now); due !== null && due < endMs; due = schedule.take(now)) loop.request(due);
    await tick();
  }
  while (loop.missing > 0 && nowMs() < endMs + GRACE_MS) await tick();
  return loop.finish(seconds);
}
