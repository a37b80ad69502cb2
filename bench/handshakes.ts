// TLS handshakes: each lane connects, gets one answer, closes and connects again, with or without resuming its last session.
import { connect, type TLSSocket } from 'node:tls';
import { Histogram } from './histogram.ts';
import { readAnswerHead, type LoadFigures } from './load.ts';

export interface HandshakeSetting {
  readonly port: number;
  /** Handshakes at a time. */
  readonly lanes: number;
  readonly seconds: number;
  readonly resume: boolean;
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const TIMEOUT_MS = 5_000;

interface Visit {
  /** For the next connection; null: the server gave none. */
  readonly session: Buffer | null;
  readonly resumed: boolean;
  readonly handshakeMs: number;
}

/** One connection: handshake, request, answer. Resolves when the answer is whole and, where sessions are wanted, a ticket is there. */
function visit({ port, resume }: HandshakeSetting, last: Buffer | null): Promise<Visit> {
  const { promise, resolve, reject } = Promise.withResolvers<Visit>();
  const startedAt = performance.now();
  let handshakeMs = 0;
  let session: Buffer | null = null;
  let received = '';
  let answered = false;
  const offered = resume && last !== null ? { session: last } : {};
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...offered });
  const finishIfDone = (): void => {
    if (!answered || (resume && last === null && session === null)) return;
    resolve({ session, resumed: socket.isSessionReused(), handshakeMs });
    socket.destroy();
  };
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer')));
  socket.on('secureConnect', () => {
    handshakeMs = performance.now() - startedAt;
    socket.write(REQUEST);
  });
  socket.on('session', (ticket: Buffer) => {
    session = ticket;
    finishIfDone();
  });
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    const head = readAnswerHead(received);
    answered = head !== null && received.length >= head.totalBytes;
    finishIfDone();
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('closed without an answer')));
  return promise;
}

/** Figures count handshakes; one that was to resume a session and did not is a failure. */
export async function runHandshakes(setting: HandshakeSetting): Promise<LoadFigures> {
  const latency = new Histogram();
  let failed = 0;
  const startedAt = performance.now();
  const endAt = startedAt + setting.seconds * 1000;
  const lane = async (): Promise<void> => {
    let session: Buffer | null = null;
    for (let first = true; performance.now() < endAt; first = false) {
      try {
        const done: Visit = await visit(setting, session);
        // A server need not give another ticket to a session that was resumed.
        session = done.session ?? session;
        // A full handshake where a session was offered is not what is measured.
        if (setting.resume && !first && !done.resumed) failed += 1;
        else latency.record(done.handshakeMs * 1000);
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: setting.lanes }, lane));
  const inMs = (microseconds: number | null): number | null => (microseconds === null ? null : microseconds / 1000);
  const seconds = (performance.now() - startedAt) / 1000;
  const [p50Ms, p99Ms] = [inMs(latency.percentile(0.5)), inMs(latency.percentile(0.99))];
  return { requests: latency.total, seconds, p50Ms, p99Ms, failed };
}
