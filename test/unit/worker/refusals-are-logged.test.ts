// Requests that weir refuses stand in the access log like all others, with why, whether they came as far as a route or could not even be read.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { logged } from '../../support/access-log.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const REFUSED: readonly (readonly [request: string, status: number, error: string, route: string])[] = [
  ['GET /a%2f..%2fadmin HTTP/1.1\r\nHost: a', 400, 'bad_path', ''],
  ['GET /%zz HTTP/1.1\r\nHost: a', 400, 'bad_path', ''],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked', 400, 'bad_framing', ''],
  [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}`, 431, 'head_too_large', ''],
  ['GET /guarded%2Fx HTTP/1.1\r\nHost: a', 400, 'ambiguous_path', ''],
  ['GET /nowhere HTTP/1.1\r\nHost: a', 404, 'route_not_found', ''],
  ['GET /guarded HTTP/1.1\r\nHost: a', 401, 'credentials_missing', 'guarded'],
];

test('each has a line that says why, with the route where it had one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-refusals-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'access.log');
  const origin = await startOrigin(t, (_request, response) => response.end('served'));
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    // What went well has no line here: what is refused has one whatever the sample is.
    parts: { accessLog: { to: file, sample: '0%' } },
    routes: [
      { name: 'guarded', service: 'shop', match: { path: '/guarded' }, filters: [{ authenticate: { key: {} } }] },
      { name: 'open', service: 'shop', match: { exact: '/guarded/x' } },
    ],
  });
  for (const [request, status] of REFUSED) {
    const client = await connectRaw(t, proxy.port);
    client.send(`${request}\r\n\r\n`);
    await client.untilText(`HTTP/1.1 ${status} `);
  }
  const lines = (): readonly string[] => logged(file).split('\n').slice(0, -1);
  await until(() => lines().length >= REFUSED.length, 'all are written');
  const told = lines().map((line) => {
    const { status, error, route = '', client } = JSON.parse(line) as Record<string, string | number>;
    assert.equal(client, '127.0.0.1');
    return [status, error, route];
  });
  assert.deepEqual(
    told,
    REFUSED.map(([, ...expected]) => expected),
  );
  assert.equal(origin.requests.length, 0);
});
