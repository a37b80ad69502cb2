// Closed-loop load on kept connections, for machines without wrk: each connection sends a GET when the last answer is complete.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Histogram } from './histogram.ts';

export interface LoadSetting {
  readonly port: number;
  readonly tls: boolean;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadFigures {
  /** Complete answers with status 200. */
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds; null without a request. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Connections refused, broken or silent, and answers with another status. */
  readonly failed: number;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const HEAD_END = '\r\n\r\n';
/** A connection that could not be made is tried again after this, so that a dead contender does not make a busy loop. */
const RECONNECT_MS = 50;
/** An answer that takes longer is a failure and its connection is closed. */
const ANSWER_TIMEOUT_MS = 5_000;

/** The head of an answer, read far enough to know where the next one starts. */
interface AnswerHead {
  readonly ok: boolean;
  readonly totalBytes: number;
}

/** Reads a head at the start of `text`; null until it is complete. Fails on an answer without `content-length`. */
export function readAnswerHead(text: string): AnswerHead | null {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return null;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
  if (length === undefined) throw new Error('an answer without content-length');
  return { ok: /^HTTP\/1\.[01] 200 /.test(text), totalBytes: end + HEAD_END.length + Number(length) };
}

/** A connection to 127.0.0.1; with TLS it is ready at `secureConnect`, and whose certificate it is does not matter. */
export function openSocket(port: number, tls: boolean): Socket {
  if (!tls) return connect({ port, host: '127.0.0.1', noDelay: true });
  return connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }).setNoDelay(true);
}

/** One run of the load: its connections and what they counted. */
class ClosedLoop {
  readonly #setting: LoadSetting;
  readonly #latency = new Histogram();
  readonly #sockets = new Set<Socket>();
  #failed = 0;
  #over = false;

  constructor(setting: LoadSetting) {
    this.#setting = setting;
  }

  open(): void {
    if (this.#over) return;
    const { port, tls } = this.#setting;
    const socket = openSocket(port, tls);
    this.#sockets.add(socket);
    let received = '';
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(REQUEST);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.once(tls ? 'secureConnect' : 'connect', send);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const taken = this.#take(received, sentAt);
      if (taken === null) socket.destroy();
      else if (taken > 0) {
        received = received.slice(taken);
        send();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#over) return;
      this.#failed += 1;
      setTimeout(() => this.open(), RECONNECT_MS);
    });
  }

  /** Counts an answer; tells how many bytes it took, 0 until it is complete, null when the connection is of no more use. */
  #take(received: string, sentAt: number): number | null {
    if (this.#over) return 0;
    try {
      const head = readAnswerHead(received);
      if (head === null || received.length < head.totalBytes) return 0;
      if (head.ok) this.#latency.record((performance.now() - sentAt) * 1000);
      else this.#failed += 1;
      return head.totalBytes;
    } catch {
      return null;
    }
  }

  finish(seconds: number): LoadFigures {
    this.#over = true;
    for (const socket of this.#sockets) socket.destroy();
    const inMs = (microseconds: number | null): number | null => (microseconds === null ? null : microseconds / 1000);
    return {
      requests: this.#latency.total,
      seconds,
      p50Ms: inMs(this.#latency.percentile(0.5)),
      p99Ms: inMs(this.#latency.percentile(0.99)),
      failed: this.#failed,
    };
  }
}

/** Keeps `connections` connections busy for `seconds`. */
export async function runLoad(setting: LoadSetting): Promise<LoadFigures> {
  const loop = new ClosedLoop(setting);
  const startedAt = performance.now();
  for (let opened = 0; opened < setting.connections; opened += 1) loop.open();
  await new Promise((resolve) => setTimeout(resolve, setting.seconds * 1000));
  return loop.finish((performance.now() - startedAt) / 1000);
}
