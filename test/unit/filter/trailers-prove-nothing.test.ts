// What a client says behind a body: origins that merge trailers into the head would take it for what filters say there, so it never arrives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash } from 'node:crypto';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';

const KEY = 'acme_1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
/** Each as a stranger would like the service to believe it. */
const LIES = [
  ...[
    'x-consumer: admin',
    'X-Consumer-Groups: root',
    'X_Consumer: admin',
    'x-tier: gold',
    'x-internal: yes',
    'x-user: admin',
    'x_user: admin',
  ],
  ...[
    'client-cert: :AAAA:',
    'x-original-url: /admin',
    'x-rewrite-url: /admin',
    'x-http-method-override: DELETE',
    'x-forwarded-user: admin',
  ],
];

test('trailers cannot say who calls, nor anything else that filters say', async (t) => {
  const merged: Record<string, string>[] = [];
  const origin = await startOrigin(t, (request, response) => {
    request.resume();
    request.on('end', () => {
      merged.push(Object.fromEntries(Object.entries(request.trailers).map(([name, value]) => [name, String(value)])));
      response.end(String(request.headers['x-consumer']));
    });
  });
  const authorizer = await startOrigin(t, (_request, response) => response.writeHead(200, { 'x-user': 'acme' }).end());
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    parts: { consumers: { acme: { keys: [{ id: 'acme_1', hash: `sha256:${hash('sha256', KEY)}` }] } } },
    route: {
      filters: [
        { authenticate: { key: {} } },
        { externalAuthorizer: { url: authorizer.endpoint, set: ['X-User'] } },
        { headers: { request: { set: { 'X-Tier': 'free' }, remove: ['x-internal'] } } },
      ],
    },
  });
  const client = await connectRaw(t, proxy.port);
  const head = ['POST / HTTP/1.1', 'host: a', `x-api-key: ${KEY}`, 'transfer-encoding: chunked', 'te: trailers', 'connection: close'];
  client.send(`${head.join('\r\n')}\r\n\r\n2\r\nhi\r\n0\r\n${LIES.join('\r\n')}\r\nx-checksum: right\r\n\r\n`);
  const answer = await client.untilClosed();
  assert.match(answer, /^HTTP\/1\.1 200 [^]*acme/);
  assert.deepEqual(merged, [{ 'x-checksum': 'right' }], 'what is only said behind bodies passes');
});
