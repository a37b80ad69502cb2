// The origin of large bodies, a process of its own: a GET is answered with 10 MB, the body of a POST is read to its end and dropped.
import { createServer, type Socket } from 'node:net';
import { ORIGIN_BODY, PROTOCOL_PATH } from './origin.ts';

const DOWNLOAD = Buffer.alloc(10_000_000, 'd');
const HEAD_END = '\r\n\r\n';

const answer = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${length}\r\n\r\n`;

function respond(socket: Socket, head: string): void {
  if (head.startsWith('GET /large')) {
    socket.write(answer(DOWNLOAD.length));
    socket.write(DOWNLOAD);
  } else {
    const body = head.includes(PROTOCOL_PATH) ? 'HTTP/1.1' : ORIGIN_BODY;
    socket.write(answer(body.length) + body);
  }
}

/** Reads requests one after the other; bodies are counted, not kept. Only bodies with a length are expected here. */
class Reader {
  readonly #socket: Socket;
  #head = '';
  #bodyLeft = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, rest.length);
        this.#bodyLeft -= taken;
        rest = rest.subarray(taken);
        if (this.#bodyLeft === 0) this.#finish();
      } else rest = this.#takeHead(rest);
    }
  }

  #takeHead(chunk: Buffer): Buffer {
    const before = this.#head.length;
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return chunk.subarray(chunk.length);
    const used = end + HEAD_END.length;
    this.#head = this.#head.slice(0, used);
    this.#bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1] ?? 0);
    if (this.#bodyLeft === 0) this.#finish();
    return chunk.subarray(used - before);
  }

  #finish(): void {
    const head = this.#head;
    this.#head = '';
    respond(this.#socket, head);
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new Reader(socket);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => reader.take(chunk));
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
process.once('SIGTERM', () => process.exit(0));
