// The http-proxy contender's own process: `node http-proxy-process.ts PORT ORIGIN_PORT`.
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy';

const [port = 0, originPort = 0] = process.argv.slice(2).map(Number);

const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${originPort}`,
  agent: new Agent({ keepAlive: true, maxSockets: 1024, maxFreeSockets: 1024 }),
});
proxy.on('error', (_error, _request, response) => response.writeHead(502).end());
const server = createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => proxy.web(request, response));
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
process.once('SIGTERM', () => process.exit(0));
