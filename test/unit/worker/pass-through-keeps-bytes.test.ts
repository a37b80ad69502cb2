// Bytes that are passed through: none changed, none lost, none piled up, and each side's end told to the other as what it was.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { reported, startProxy, type Proxy, type ProxyOptions } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { collectGarbage } from '../../support/garbage.ts';
import { echo, saying, startTcpServer, type TcpServer } from '../../support/tcp-server.ts';
import { until } from '../../support/until.ts';

const MIB = 1024 * 1024;

/** A tcp listener in front of one endpoint. */
async function pass(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  options: Partial<ProxyOptions> = {},
): Promise<[Proxy, TcpServer]> {
  const server = await startTcpServer(t, onConnection);
  const routes = [{ listeners: ['web'], service: 'shop' }];
  const proxy = await startProxy(t, { endpoints: [server.endpoint], listener: { protocol: 'tcp' }, routes, ...options });
  return [proxy, server];
}

async function dial(t: TestContext, { port }: Proxy): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  // It is broken off when its test ends, if not before.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Memory of buffers that somebody still holds, once the collector, which frees them beside the program, has no more to free. */
async function heldBytes(): Promise<number> {
  let held = Infinity;
  for (;;) {
    collectGarbage();
    await delay(50);
    const now = process.memoryUsage().arrayBuffers;
    if (now >= held) return held;
    held = now;
  }
}

/** All that comes until the other side ends. Rejects when it is broken off. */
function readAll(socket: Socket, onPiece: (count: number) => Promise<unknown> | null = () => null): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    const pause = onPiece(pieces.length);
    if (pause === null) return;
    socket.pause();
    void pause.then(() => socket.resume());
  });
  socket.on('end', () => resolve(Buffer.concat(pieces))).on('error', reject);
  return promise;
}

describe('a connection that is passed through', { concurrency: true }, () => {
  it('lets either side speak first', async (t) => {
    const [proxy] = await pass(t, (socket) => {
      socket.write('220 ready\r\n');
      echo(socket);
    });
    const client = await connectRaw(t, proxy.port);
    await client.untilText('220 ready\r\n');
    client.send('HELO');
    assert.equal(await client.untilText('HELO'), '220 ready\r\nHELO');
  });

  it('carries megabytes both ways at once, unchanged', async (t) => {
    const [proxy] = await pass(t, echo);
    const sent = randomBytes(24 * MIB);
    const client = await dial(t, proxy);
    client.end(sent);
    const received = await readAll(client);
    assert.ok(received.equals(sent), `${received.length} of ${sent.length} bytes`);
    await until(() => reported(proxy, 'weir_received_bytes_total') === sent.length, 'bytes from the client are counted');
    await until(() => reported(proxy, 'weir_sent_bytes_total') === sent.length, 'bytes to the client are counted');
  });

  it('counts bytes while it is open', async (t) => {
    const [proxy] = await pass(t, echo);
    const client = await connectRaw(t, proxy.port);
    client.send('12345');
    await client.untilText('12345');
    await until(() => reported(proxy, 'weir_received_bytes_total') === 5 && reported(proxy, 'weir_sent_bytes_total') === 5, 'both counts');
    assert.ok(!client.ended);
  });

  it('goes on one way when the client has ended the other', async (t) => {
    const [proxy, server] = await pass(t, (socket) => {
      let asked = '';
      socket.on('data', (chunk: Buffer) => (asked += chunk.toString()));
      socket.on('end', () => socket.end(`you said: ${asked}`));
    });
    const client = await dial(t, proxy);
    client.end('all I have');
    assert.equal((await readAll(client)).toString(), 'you said: all I have');
    assert.equal(server.resets, 0);
    await until(() => reported(proxy, 'weir_l4_closes_total', /complete$/) === 1, 'it is counted as complete');
  });

  it('goes on one way when the endpoint has ended the other', async (t) => {
    const heard = Promise.withResolvers<string>();
    const [proxy, server] = await pass(t, (socket) => {
      socket.end('bye');
      let said = '';
      socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
      socket.on('end', () => heard.resolve(said));
    });
    const client = await dial(t, proxy);
    assert.equal((await readAll(client)).toString(), 'bye');
    client.end('one more thing');
    assert.equal(await heard.promise, 'one more thing');
    assert.equal(server.resets, 0);
    await until(() => reported(proxy, 'weir_l4_closes_total', /complete$/) === 1, 'it is counted as complete');
  });

  it('gives a slow reader every byte, though the endpoint has long closed', async (t) => {
    const body = randomBytes(8 * MIB);
    const [proxy] = await pass(t, (socket) => {
      socket.on('end', () => socket.end(body)).resume();
    });
    const client = await dial(t, proxy);
    client.end();
    const received = await readAll(client, (count) => (count % 16 === 0 ? delay(2) : null));
    assert.ok(received.equals(body), `${received.length} of ${body.length} bytes`);
  });

  it('tells a reset of the endpoint as a reset, after all that came before it', async (t) => {
    const [proxy] = await pass(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
    const client = await dial(t, proxy);
    const broken = once(client, 'error') as Promise<[NodeJS.ErrnoException]>;
    client.write('please');
    assert.equal((await broken)[0].code, 'ECONNRESET');
    await until(() => reported(proxy, 'weir_l4_closes_total', /upstream$/) === 1, 'the endpoint is named');
    assert.equal(reported(proxy, 'weir_ejections_total'), 0);
  });

  it('tells a reset of the client as a reset, and blames nobody else', async (t) => {
    const [proxy, server] = await pass(t, saying('hello'), { cluster: { outlier: { consecutive: 1 } } });
    for (let round = 1; round <= 3; round += 1) {
      const client = await dial(t, proxy);
      await once(client, 'data');
      client.resetAndDestroy();
      await until(() => server.resets === round, 'the endpoint is told');
    }
    await until(() => reported(proxy, 'weir_l4_closes_total', /client$/) === 3, 'the client is named');
    assert.equal(reported(proxy, 'weir_upstream_failures_total'), 0);
    assert.equal(reported(proxy, 'weir_ejections_total'), 0);
  });

  it('is closed when nothing moves for tunnelIdle', async (t) => {
    const [proxy, server] = await pass(t, echo, { service: { timeouts: { tunnelIdle: '300ms' } } });
    const client = await dial(t, proxy);
    const broken = once(client, 'error') as Promise<[NodeJS.ErrnoException]>;
    client.write('one');
    await once(client, 'data');
    assert.equal((await broken)[0].code, 'ECONNRESET');
    await until(() => server.resets === 1, 'the endpoint is told too');
    await until(() => reported(proxy, 'weir_l4_closes_total', /idle$/) === 1, 'it is counted as idle');
  });
});

it('a connection that is passed through holds the endpoint back while the client does not read, and the client while the endpoint does not', async (t) => {
  const [proxy, server] = await pass(t, (socket) => void socket.pause());
  const client = await dial(t, proxy);
  await until(() => server.connections.length === 1, 'the endpoint is connected');
  const [origin] = server.connections;
  assert.ok(origin !== undefined);
  const flood = Buffer.alloc(MIB);
  const before = await heldBytes();
  for (const [writer, what] of [
    [origin, 'the endpoint'],
    [client, 'the client'],
  ] as const) {
    // As long as the system takes something within a moment; what it does not take stays with the writer.
    let taken = -1;
    while (taken !== writer.bytesWritten - writer.writableLength) {
      taken = writer.bytesWritten - writer.writableLength;
      assert.ok(taken < 64 * MIB, `${what} is not held back`);
      if (writer.writableLength === 0) writer.write(flood);
      await delay(100);
    }
    assert.ok(taken > 0, `${what} has written`);
  }
  // Of each direction one read of 64 KiB is held, and what Node reads ahead of the client; the writers here hold one flood each.
  const held = (await heldBytes()) - before;
  assert.ok(held < MIB, `${held} bytes are held`);
});
