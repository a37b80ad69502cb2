// Bodies that many HTTP/2 clients send at once in pieces of all sizes: what is read of one connection must not be written over what is kept of another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startH2Origin } from '../../support/h2-origin.ts';
import { connectNodeHttp2, responseTo } from '../../support/node-http2.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import type { TestContext } from 'node:test';

const CLIENTS = 8;
const BODIES = 12;

async function comeBackWhole(t: TestContext, proxy: Proxy): Promise<void> {
  const random = seededRandom(5);
  const asked = Array.from({ length: CLIENTS }, async (_, client) => {
    const session = await connectNodeHttp2(t, proxy.url);
    for (let body = 0; body < BODIES; body += 1) {
      const pieces = Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
        const length = Math.floor(2 ** (random() * 15));
        return Buffer.alloc(length, `client ${client}, body ${body}, piece of ${length} `);
      });
      const stream = session.request({ ':method': 'POST', ':path': `/${client}/${body}` });
      const response = responseTo(stream);
      for (const piece of pieces) {
        stream.write(piece);
        // Each in a read of its own, with those of other clients between them.
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
      const { status, body: came } = await response;
      assert.equal(status, 200);
      assert.ok(Buffer.concat(pieces).equals(came), `client ${client}, body ${body}`);
    }
  });
  await Promise.all(asked);
}

test('come back whole from an HTTP/1.1 endpoint', async (t) => {
  const origin = await startOrigin(t, (request, response) => void request.pipe(response));
  await comeBackWhole(t, await startProxy(t, { endpoints: [origin.endpoint] }));
});

test('come back whole from an HTTP/2 endpoint', async (t) => {
  const origin = await startH2Origin(t, ({ stream }) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  await comeBackWhole(t, await startProxy(t, { endpoints: [origin.endpoint] }));
});
