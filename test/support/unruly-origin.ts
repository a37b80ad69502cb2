// An origin that answers every request with its own id, and at random resets, delays, closes early, frames differently, or says more than it was asked.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Random } from '../../health/clock.ts';

export interface UnrulyOrigin {
  readonly endpoint: string;
  /** How often it behaved in which way. */
  readonly did: Readonly<Record<string, number>>;
}

/** The body of a response: its id again and again, so that one foreign byte shows. */
export function bodyOf(id: string, repeats: number): string {
  return `${id};`.repeat(repeats);
}

/** Sums to 1; the first takes what is left. */
const WAYS = {
  sized: 0,
  chunked: 0.25,
  pieces: 0.1,
  delayed: 0.1,
  interim: 0.05,
  untilClose: 0.05,
  closeAfter: 0.05,
  reset: 0.03,
  silentClose: 0.03,
  cutBody: 0.02,
  earlyAnswer: 0.02,
  extraResponse: 0.03,
} as const;

type Way = keyof typeof WAYS;

export async function startUnrulyOrigin(t: TestContext, random: Random): Promise<UnrulyOrigin> {
  const did: Record<string, number> = {};
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)));
    let received = '';
    let busy = false;
    let way: Way | null = null;
    const work = async (): Promise<void> => {
      while (!busy) {
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const end = messageEnd(received, headEnd + 4);
        const id = /\r\nx-id: ([\w-]+)/i.exec(received.slice(0, headEnd))?.[1] ?? 'none';
        const isNew = way === null;
        way ??= choose(random);
        if (isNew) did[way] = (did[way] ?? 0) + 1;
        // An early answer comes with the head, every other one when the request is complete.
        if (way === 'earlyAnswer' ? isNew : end >= 0) {
          busy = true;
          await answer({ socket, id, isHead: received.startsWith('HEAD '), random }, way);
          busy = false;
        }
        if (end < 0) return;
        received = received.slice(end);
        way = null;
      }
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      void work();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, did };
}

/** Where the message ends whose body begins at `at`; -1: not all of it is there. */
function messageEnd(received: string, at: number): number {
  const head = received.slice(0, at);
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(head)) {
    const end = at + Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    return end <= received.length ? end : -1;
  }
  for (let chunk = at; ;) {
    const line = received.indexOf('\r\n', chunk);
    if (line < 0) return -1;
    const size = Number.parseInt(received.slice(chunk, line), 16);
    chunk = line + 2 + size + 2;
    if (chunk > received.length) return -1;
    if (size === 0) return chunk;
  }
}

interface Turn {
  readonly socket: Socket;
  readonly id: string;
  readonly isHead: boolean;
  readonly random: Random;
}

function choose(random: Random): Way {
  let lot = random();
  for (const [way, part] of Object.entries(WAYS) as [Way, number][]) if ((lot -= part) < 0) return way;
  return 'sized';
}

async function answer({ socket, id, isHead, random }: Turn, way: Way): Promise<void> {
  const body = isHead ? '' : bodyOf(id, 1 + Math.floor(random() ** 4 * 4000));
  const head = (extra: string): string => `HTTP/1.1 200 OK\r\nx-echo: ${id}\r\n${extra}\r\n`;
  const sized = head(`content-length: ${body.length}\r\n`);
  switch (way) {
    case 'sized':
      return void socket.write(sized + body);
    case 'chunked':
      return void socket.write(head('transfer-encoding: chunked\r\n') + (isHead ? '' : `${chunks(body, random)}0\r\n\r\n`));
    case 'pieces': {
      const text = sized + body;
      const cut = Math.floor(random() * text.length);
      socket.write(text.slice(0, cut));
      await pause(random() * 5);
      return void socket.write(text.slice(cut));
    }
    case 'delayed':
      await pause(random() * 30);
      return void socket.write(sized + body);
    case 'interim':
      return void socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </${id}>\r\n\r\n${sized}${body}`);
    case 'untilClose':
      return void socket.end(head('connection: close\r\n') + body);
    case 'closeAfter':
      return void socket.end(head(`connection: close\r\ncontent-length: ${body.length}\r\n`) + body);
    case 'reset':
      return void socket.resetAndDestroy();
    case 'silentClose':
      return void socket.end();
    case 'cutBody':
      return void socket.end(head(`content-length: ${body.length + 10}\r\n`) + body);
    case 'earlyAnswer':
      return void socket.write(sized + body);
    case 'extraResponse':
      return void socket.write(`${sized}${body}HTTP/1.1 200 OK\r\nx-echo: stolen\r\ncontent-length: 7\r\n\r\nstolen;`);
  }
}

function chunks(body: string, random: Random): string {
  let text = '';
  for (let at = 0; at < body.length;) {
    const piece = body.slice(at, at + 1 + Math.floor(random() * 3000));
    text += `${piece.length.toString(16)}\r\n${piece}\r\n`;
    at += piece.length;
  }
  return text;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
