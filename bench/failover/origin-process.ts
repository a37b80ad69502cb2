// An origin that can be made half broken: `node origin-process.ts HOST`; it says its port, `/behave/MODE` says how it is from then on, and `/asked` is
// answered with how many requests it has had.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const BEHAVE = '/behave/';
/** What `slow` adds to an answer. */
const SLOW_MS = 800;

let mode = '';
let turn = 0;
const server = createServer({ keepAliveTimeout: 120_000 }, ({ url = '' }, response) => {
  if (url === '/asked') return void response.end(String(turn));
  if (url.startsWith(BEHAVE)) mode = url.slice(BEHAVE.length);
  const asked = url === '/';
  if (asked) turn += 1;
  // Spread evenly, so that three of ten are 503 in any ten.
  const status = asked && mode === 'failing' && (turn * 3) % 10 < 3 ? 503 : 200;
  const answer = (): void => void response.writeHead(status, { 'content-length': 3 }).end('ok\n');
  if (asked && mode === 'slow') setTimeout(answer, SLOW_MS);
  else answer();
});
server.listen(0, process.argv[2], 4096, () => process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`));
