// An origin that keeps what it is asked until the test lets go: requests without an answer, and WebSockets that send back what they are sent.
import { createServer, type ServerResponse } from 'node:http';
import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { once } from 'node:events';

export interface HeldOrigin {
  readonly endpoint: string;
  /** Requests that wait for their answers. */
  readonly held: number;
  readonly webSockets: number;
  /** Codes of the Close frames that came in. */
  readonly closes: readonly number[];
  /** Connections with a request or a WebSocket that ended before they were answered or closed. */
  readonly cut: number;
  /** Answers what waits. */
  release(): void;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export async function startHeldOrigin(t: TestContext, name: string): Promise<HeldOrigin> {
  const held = new Set<ServerResponse>();
  const sockets = new Set<Duplex>();
  const closes: number[] = [];
  let cut = 0;
  const server = createServer((request, response) => {
    if (request.url === '/healthz') return void response.end();
    held.add(response);
    response.once('close', () => {
      if (held.delete(response)) cut += 1;
    });
  });
  server.on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    sockets.add(socket);
    let said = false;
    echo(socket, (code) => {
      said = true;
      closes.push(code);
    });
    socket.once('close', () => {
      sockets.delete(socket);
      if (!said) cut += 1;
    });
    socket.on('error', () => undefined);
  });
  server.maxConnections = Infinity;
  await once(server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }), 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get held() {
      return held.size;
    },
    get webSockets() {
      return sockets.size;
    },
    closes,
    get cut() {
      return cut;
    },
    release: () => {
      for (const response of [...held]) {
        held.delete(response);
        response.end(name);
      }
    },
  };
}

/** Sends back text frames of up to 125 bytes, and answers a Close. */
function echo(socket: Duplex, onClose: (code: number) => void): void {
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const length = (bytes[1] ?? 0) & 0x7f;
      if (bytes.length < 6 + length) return;
      const payload = Buffer.from(bytes.subarray(6, 6 + length).map((byte, at) => byte ^ (bytes[2 + (at % 4)] ?? 0)));
      const opcode = (bytes[0] ?? 0) & 0xf;
      bytes = bytes.subarray(6 + length);
      socket.write(Buffer.concat([Buffer.from([0x80 | opcode, length]), payload]));
      if (opcode !== 8) continue;
      onClose(payload.readUInt16BE(0));
      socket.end();
    }
  });
}
