// The origin of WebSocket clients, a process of its own: accepts every upgrade and sends each message back, short messages only.
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { ORIGIN_BODY, PROTOCOL_PATH } from './origin.ts';
import { CLIENT_FRAME_BYTES, SERVER_FRAME } from './websocket-frames.ts';

const HEAD_END = '\r\n\r\n';
/** RFC 6455 section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

function upgrade(socket: Socket, key: string): void {
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}${HEAD_END}`,
  );
  let bytes = 0;
  socket.on('data', (chunk) => {
    // All messages of a run are alike, so the number of bytes says how many have arrived whole.
    bytes += chunk.length;
    const messages = Math.floor(bytes / CLIENT_FRAME_BYTES);
    bytes -= messages * CLIENT_FRAME_BYTES;
    for (let message = 0; message < messages; message += 1) socket.write(SERVER_FRAME);
  });
}

const server = createServer({ noDelay: true }, (socket) => {
  let head = '';
  socket.on('error', () => socket.destroy());
  const onHead = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.endsWith(HEAD_END)) return;
    const key = /\r\nsec-websocket-key: *([^\r]+)/i.exec(head)?.[1];
    if (key !== undefined) {
      socket.off('data', onHead);
      upgrade(socket, key);
      return;
    }
    const body = head.includes(PROTOCOL_PATH) ? 'HTTP/1.1' : ORIGIN_BODY;
    head = '';
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}${HEAD_END}${body}`);
  };
  socket.on('data', onHead);
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
process.once('SIGTERM', () => process.exit(0));
