// WebSocket echo in a closed loop: each connection sends a message when the last one has come back.
import type { Socket } from 'node:net';
import { Histogram } from './histogram.ts';
import { openSocket, type LoadFigures, type LoadSetting } from './load.ts';
import { CLIENT_FRAME, SERVER_FRAME, SERVER_FRAME_BYTES } from './websocket-frames.ts';

const HEAD_END = '\r\n\r\n';
const REQUEST =
  `GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Key: d2Vpci1iZW5jaC1rZXktMQ==\r\nSec-WebSocket-Version: 13${HEAD_END}`;

class EchoLoop {
  readonly #latency = new Histogram();
  readonly #sockets = new Set<Socket>();
  #failed = 0;
  #counts = false;

  /** Resolves when the connection is upgraded. */
  open(port: number, tls: boolean): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const socket = openSocket(port, tls);
    this.#sockets.add(socket);
    let head = '';
    const onHead = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes(HEAD_END)) return;
      socket.off('data', onHead);
      if (/^HTTP\/1\.1 101 /.test(head) && head.endsWith(HEAD_END)) resolve(socket);
      else reject(new Error(`not upgraded: ${head.split('\r\n', 1)[0] ?? ''}`));
    };
    socket.once(tls ? 'secureConnect' : 'connect', () => socket.write(REQUEST));
    socket.on('data', onHead);
    socket.on('error', reject);
    socket.once('close', () => {
      this.#failed += 1;
      reject(new Error('closed before the upgrade'));
    });
    return promise;
  }

  /** Sends the first message; each that comes back sends the next. */
  start(socket: Socket): void {
    let received = 0;
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(CLIENT_FRAME);
    };
    socket.on('data', (chunk: Buffer) => {
      // Every message is checked where it is whole in a chunk, as short ones are nearly always.
      if (received === 0 && chunk.length === SERVER_FRAME_BYTES && !chunk.equals(SERVER_FRAME)) {
        socket.destroy();
        return;
      }
      received += chunk.length;
      if (received < SERVER_FRAME_BYTES) return;
      received -= SERVER_FRAME_BYTES;
      if (this.#counts) this.#latency.record((performance.now() - sentAt) * 1000);
      send();
    });
    send();
  }

  count(): void {
    this.#counts = true;
  }

  close(): void {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy();
  }

  figures(seconds: number): LoadFigures {
    const inMs = (microseconds: number | null): number | null => (microseconds === null ? null : microseconds / 1000);
    const [p50Ms, p99Ms] = [inMs(this.#latency.percentile(0.5)), inMs(this.#latency.percentile(0.99))];
    return { requests: this.#latency.total, seconds, p50Ms, p99Ms, failed: this.#failed };
  }
}

export interface EchoResult {
  readonly figures: LoadFigures;
  /** The connections are open until then, so that closing them is not part of what is measured. */
  readonly close: () => void;
}

/** Connections made at a time, so that no backlog overflows. */
const LANES = 64;

/** Opens all connections, keeps them busy, and counts for `seconds` from when `ready` resolves. */
export async function runEcho({ port, tls, connections, seconds }: LoadSetting, ready: () => Promise<void>): Promise<EchoResult> {
  const loop = new EchoLoop();
  const sockets: Socket[] = [];
  try {
    while (sockets.length < connections) {
      const lanes = Math.min(LANES, connections - sockets.length);
      sockets.push(...(await Promise.all(Array.from({ length: lanes }, () => loop.open(port, tls)))));
    }
  } catch (error) {
    loop.close();
    throw error;
  }
  for (const socket of sockets) loop.start(socket);
  await ready();
  loop.count();
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return { figures: loop.figures((performance.now() - startedAt) / 1000), close: () => loop.close() };
}
