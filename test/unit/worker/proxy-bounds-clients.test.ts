// What clients may take of the data plane: connections of an address, time to read; each end of a connection is counted with its reason.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { named, startOrigin } from '../../support/origin.ts';
import { countOf, startProxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('an address', () => {
  it('gets no more connections than its limit, and another when one of them has gone', async (t) => {
    const origin = await startOrigin(t, named('origin'));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { limits: { connectionsPerAddress: 2 } } });
    const held = [await connectRaw(t, proxy.port), await connectRaw(t, proxy.port)];
    for (const client of held) {
      client.send(GET);
      await client.untilText('origin');
    }
    const refused = await connectRaw(t, proxy.port);
    assert.equal(await refused.untilClosed(), '');
    await until(() => countOf(proxy, 'weir_connections_refused_total', 'web', 'too_many_from_address') === 1, 'one refused');
    held[0]?.socket.destroy();
    await until(async () => {
      const client = await connectRaw(t, proxy.port);
      client.send(GET);
      const received = await client.until((text) => text !== '' || client.ended, 'an answer or the end');
      client.socket.destroy();
      return received !== '';
    }, 'room for another');
  });

  it('that is trusted has no limit of its own: many clients are behind it', async (t) => {
    const origin = await startOrigin(t, named('origin'));
    const listener = { trustedPeers: ['127.0.0.1'], limits: { connectionsPerAddress: 1 } };
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener });
    for (let i = 0; i < 3; i += 1) {
      const client = await connectRaw(t, proxy.port);
      client.send(GET);
      await client.untilText('origin');
    }
  });
});

describe('a client that does not read', () => {
  it('is cut off after the time it has for it, and counted', async (t) => {
    const large = Buffer.alloc(64 * 1024 * 1024, 'x');
    const origin = await startOrigin(t, (_request, response) => response.end(large));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { timeouts: { write: '300ms' } } });
    const client = await connectRaw(t, proxy.port);
    client.socket.pause();
    client.send(GET);
    await until(() => countOf(proxy, 'weir_connections_cut_total', 'web', 'write_timeout') === 1, 'it is cut');
  });
});

describe('a body', () => {
  it('that turns out too large is 413 for the client and broken off for the origin', async (t) => {
    const origin = await startOrigin(t, (request, response) => {
      request.on('error', () => undefined);
      request.resume().on('end', () => response.end());
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { limits: { bodyBytes: '1KiB' } } });
    const client = await connectRaw(t, proxy.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => origin.requests.length === 1, 'the request at the origin');
    client.send(`800\r\n${'x'.repeat(2048)}\r\n0\r\n\r\n`);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 /);
    await until(() => origin.requests[0]?.destroyed === true, 'the end at the origin');
    assert.equal(origin.requests[0]?.complete, false);
    await until(() => countOf(proxy, 'weir_local_replies_total', 'web', 'body_too_large') === 1, 'it is counted');
  });
});
