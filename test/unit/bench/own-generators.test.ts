// The generators of WebSocket messages and TLS handshakes, against real servers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate } from '../../../bench/certificate.ts';
import { runHandshakes } from '../../../bench/handshakes.ts';
import { startEchoOrigin } from '../../../bench/workloads/websocket.ts';
import { runEcho } from '../../../bench/websocket-load.ts';

test('messages come back from the echo server and are counted from the moment they are to be', async (context) => {
  const origin = await startEchoOrigin('', null);
  context.after(() => origin.stop());
  let upgraded = false;
  const { figures, close } = await runEcho({ port: origin.ports.http1, tls: false, connections: 5, seconds: 0.2 }, () => {
    upgraded = true;
    return Promise.resolve();
  });
  close();
  assert.ok(upgraded);
  assert.ok(figures.requests > 5, `${figures.requests} messages`);
  assert.equal(figures.failed, 0);
});

test('a server that does not upgrade ends the run', async (context) => {
  const server = createTcpServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const run = runEcho({ port, tls: false, connections: 1, seconds: 0.1 }, () => Promise.resolve());
  await assert.rejects(run, /not upgraded: HTTP\/1\.1 403 Forbidden/);
});

test('handshakes resume the session before where that is asked for, and none where it is not', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-test-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const files = await makeCertificate(directory);
  const server = createServer({ cert: await readFile(files.cert), key: await readFile(files.key) }, (_request, response) => {
    response.setHeader('content-length', 2).end('ok');
  });
  const seen = { resumed: 0, fresh: 0 };
  server.on('secureConnection', (socket) => (seen[socket.isSessionReused() ? 'resumed' : 'fresh'] += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const resumed = await runHandshakes({ port, lanes: 2, seconds: 0.3, resume: true });
  assert.equal(resumed.failed, 0);
  assert.equal(seen.fresh, 2, 'only the first of each lane has nothing to resume');
  assert.equal(resumed.requests, seen.fresh + seen.resumed);
  const fresh = await runHandshakes({ port, lanes: 2, seconds: 0.1, resume: false });
  assert.ok(fresh.requests > 0);
  assert.equal(seen.resumed, resumed.requests - 2, 'nothing more was resumed');
});
