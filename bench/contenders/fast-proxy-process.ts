// The fast-proxy contender's own process: `node fast-proxy-process.ts PORT ORIGIN_PORT`.
import { createServer } from 'node:http';
import fastProxy from 'fast-proxy';

const [port = 0, originPort = 0] = process.argv.slice(2).map(Number);

const front = fastProxy({ base: `http://127.0.0.1:${originPort}`, undici: { connections: 1024 } });
const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => front.proxy(request, response, request.url ?? '/', {}));
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
process.once('SIGTERM', () => process.exit(0));
