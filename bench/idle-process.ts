// Idle clients as a staged process: `node bench/idle-process.ts PORT CONNECTIONS` gets one answer on each connection and keeps it open.
import { once } from 'node:events';
import { openSocket, readAnswerHead } from './load.ts';
import { printFigures, readyForStart } from './staged.ts';

const [port = 0, connections = 0] = process.argv.slice(2).map(Number);
const LANES = 64;
let closed = 0;

async function openIdle(): Promise<void> {
  const socket = openSocket(port, false);
  socket.on('close', () => (closed += 1));
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  let received = '';
  let head: ReturnType<typeof readAnswerHead> = null;
  while (head === null || received.length < head.totalBytes) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received += chunk.toString('latin1');
    head = readAnswerHead(received);
  }
  if (!head.ok) throw new Error(`refused: ${received.split('\r\n', 1)[0] ?? ''}`);
}

for (let open = 0; open < connections; open += LANES) {
  await Promise.all(Array.from({ length: Math.min(LANES, connections - open) }, openIdle));
}
await readyForStart();
printFigures({ requests: connections - closed, seconds: 0, p50Ms: null, p99Ms: null, failed: closed });
