// An upload that its endpoint does not take: it is given up in time, and a client that leaves meanwhile is seen.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Http1Exchange } from '../../../balancer/http1/downstream-exchange.ts';
import { Http1UpstreamConnection } from '../../../balancer/http1/upstream-connection.ts';
import { startRawOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const LENGTH = 2 ** 30;

/** An endpoint that reads nothing by itself, and a client whose upload to it has begun. */
async function begin(t: TestContext, firstByte: string) {
  const origin = await startRawOrigin(t, ({ socket }) => void socket.pause());
  const service = { timeouts: { firstByte }, retries: { attempts: 0 } };
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], service });
  const client = await connectRaw(t, proxy.port);
  client.socket.setNoDelay(true);
  const held = t.mock.method(Http1Exchange.prototype, 'pauseBody');
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LENGTH}\r\n\r\n`);
  return { client, isHeld: () => held.mock.callCount() > 0 };
}

/** Piece after piece, each read for itself, until the proxy holds the client back. */
async function sendUntilHeld(client: RawClient, isHeld: () => boolean, pieceBytes: number): Promise<void> {
  const piece = Buffer.alloc(pieceBytes, 'x');
  while (!isHeld()) {
    client.socket.write(piece);
    if (client.socket.writableLength > 0) await Promise.race([once(client.socket, 'drain'), delay(20)]);
    else await delay(1);
  }
}

describe('an upload that is held back', () => {
  // Less and more than what a stream of Node takes for much.
  for (const pieceBytes of [20_000, 1_000_000])
    it(`is given up when the endpoint takes nothing for too long, by pieces of ${pieceBytes}`, async (t) => {
      const { client, isHeld } = await begin(t, '300ms');
      await sendUntilHeld(client, isHeld, pieceBytes);
      assert.match(await client.untilText('\r\n\r\n'), /^HTTP\/1\.1 504 /);
    });

  for (const way of ['reset', 'FIN'] as const)
    it(`is given up when its client leaves (${way})`, async (t) => {
      const { client, isHeld } = await begin(t, '60s');
      const given = t.mock.method(Http1UpstreamConnection.prototype, 'destroy');
      await sendUntilHeld(client, isHeld, 20_000);
      if (way === 'reset') client.socket.resetAndDestroy();
      else client.socket.end();
      await until(() => given.mock.callCount() > 0, 'the request is given up');
    });
});
