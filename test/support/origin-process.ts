// An origin as a process of its own, which can be killed, stopped, or put into a network of its own: `node origin-process.ts HOST NAME PORT`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [host = '127.0.0.1', name = '', port = '0'] = process.argv.slice(2);
let mode = '';
let turn = 0;
const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  if (request.url === '/healthz') return void response.end();
  turn += 1;
  if (mode === 'failing' && turn % 10 < 3) return void response.writeHead(503).end(name);
  if (mode === 'slow') return void setTimeout(() => response.end(name), 2000);
  response.end(name);
});
server.listen(Number(port), host, () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
// A line says how it is from now on.
process.stdin.setEncoding('utf8').on('data', (text: string) => (mode = text.trim()));
process.stdin.on('end', () => process.exit(0));
