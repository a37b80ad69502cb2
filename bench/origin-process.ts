// The origin for machines without nginx, a process of its own: counts the ends of request heads and writes as many responses.
import { createServer } from 'node:net';
import { ORIGIN_BODY } from './origin.ts';

const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${ORIGIN_BODY.length}\r\n\r\n${ORIGIN_BODY}`;
const HEAD_END = '\r\n\r\n';

const server = createServer({ noDelay: true }, (socket) => {
  // A head may be cut anywhere, also within its last four bytes.
  let rest = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    const heads = (rest + chunk.toString('latin1')).split(HEAD_END);
    rest = heads.pop() ?? '';
    if (heads.length > 0) socket.write(RESPONSE.repeat(heads.length));
  });
});

server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
process.once('SIGTERM', () => process.exit(0));
