// A request that is refused is refused before its body is asked for, and its service hears nothing of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';

const waiting = (target: string): string => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n`;

describe('a client that waits for 100 (Continue)', () => {
  it('is answered in its place where the route refuses the request: by who calls, how often, and how much', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end('served'));
    const proxy = await startProxy(t, {
      endpoints: [origin.endpoint],
      parts: { limits: { few: { allow: 1 } } },
      routes: [
        { name: 'guarded', service: 'shop', match: { path: '/guarded' }, filters: [{ authenticate: { key: {} } }] },
        { name: 'few', service: 'shop', match: { path: '/few' }, filters: [{ addressLimit: { limits: ['few'] } }] },
        { name: 'small', service: 'shop', match: { path: '/small' }, filters: [{ requestLimits: { body: '10B' } }] },
      ],
    });
    assert.equal((await fetch(new URL('/few', proxy.url))).status, 200);
    for (const [target, status] of [
      ['/guarded', 401],
      ['/few', 429],
      ['/small', 413],
    ] as const) {
      const client = await connectRaw(t, proxy.port);
      client.send(waiting(target));
      assert.match(await client.untilText('\r\n\r\n'), new RegExp(`^HTTP/1\\.1 ${status} `), target);
    }
    assert.deepEqual(
      origin.requests.map(({ url }) => url),
      ['/few'],
      'the service heard of none of them',
    );
  });
});
