// The socket to an endpoint is read into memory of its own, or into that of all where its reader needs nothing after the call.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { COMMON_MEMORY } from '../../../balancer/socket/read-buffer.ts';
import { UpstreamSocket } from '../../../balancer/socket/upstream-socket.ts';
import { until } from '../../support/until.ts';

/** A connected socket, and the endpoint at its other end. */
async function connected(t: TestContext): Promise<{ readonly link: UpstreamSocket; readonly endpoint: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const link = new UpstreamSocket({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, tls: null });
  t.after(() => {
    link.socket.destroy();
    server.close();
  });
  await once(link.socket, 'connect');
  const [endpoint] = await accepted;
  t.after(() => endpoint.destroy());
  endpoint.setNoDelay(true);
  return { link, endpoint };
}

/** Sends the pieces one by one; returns the memory each was read to. */
async function readsOf(
  link: UpstreamSocket,
  endpoint: Socket,
  pieces: readonly string[],
  onRead: (count: number) => void,
): Promise<Buffer[]> {
  const reads: Buffer[] = [];
  link.listen({
    onRead: (bytes, length) => {
      assert.equal(bytes.latin1Slice(0, length), pieces[reads.length]);
      reads.push(bytes);
      onRead(reads.length);
    },
  });
  for (const [index, piece] of pieces.entries()) {
    endpoint.write(piece);
    await until(() => reads.length > index, `${piece} has been read`);
  }
  return reads;
}

describe('the socket to an endpoint', () => {
  it('is read to the same memory again, and to other memory after a loan', async (t) => {
    const { link, endpoint } = await connected(t);
    const [first, second, third] = await readsOf(link, endpoint, ['a', 'b', 'c'], (count) => {
      if (count === 2) link.buffer.lend();
    });
    assert.equal(first, second);
    assert.notEqual(second, third);
    assert.ok([first, third].every((bytes) => bytes !== undefined && bytes !== COMMON_MEMORY));
  });

  it('is read to the memory of all while it is told so', async (t) => {
    const [one, other] = [await connected(t), await connected(t)];
    for (const { link } of [one, other]) link.readTogether(false);
    const [first, second, third] = await readsOf(one.link, one.endpoint, ['a', 'b', 'c'], (count) => {
      if (count === 1) one.link.readApart();
      if (count === 2) one.link.readTogether(false);
    });
    const [ofOther] = await readsOf(other.link, other.endpoint, ['d'], () => undefined);
    assert.ok(first !== undefined && first === COMMON_MEMORY && first === third && first === ofOther);
    assert.ok(second !== undefined && second !== COMMON_MEMORY);
  });
});
