// Series of metrics do not grow with what clients send: paths, hosts, methods, keys and user agents that nobody has seen before make no new ones.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startOrigin } from '../../support/origin.ts';
import { reported, startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const REQUESTS = 30;
const HOSTS = ['*.example', 'a'];

/** One request for each thing that can become of one here, with `what` wherever a client may write something. */
const requestsWith = (what: string): readonly string[] =>
  [
    `GET /${what} HTTP/1.1\r\nHost: ${what}.example`,
    `${what.toUpperCase()} /guarded/${what} HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${what}`,
    `GET /limited/${what} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${what}`,
    `GET /nowhere/%zz${what} HTTP/1.1\r\nHost: a`,
    `GET / HTTP/1.1\r\nHost: a\r\nExpect: ${what}`,
    `GET / HTTP/9.${what}\r\nHost: a`,
    `GET / HTTP/1.1\r\nHost: other.example\r\nX-Request-Id: ${what}\r\nOrigin: https://${what}.example`,
  ].map((head) => `${head}\r\nX-${what}: ${what}\r\nConnection: close\r\n\r\n`);

const seriesOf = ({ said }: Proxy): ReadonlySet<string> =>
  new Set(
    said.flatMap((message) => (message.type === 'metrics' ? message.delta.map(({ name, labels }) => `${name} ${labels.join(' ')}`) : [])),
  );

test('what clients make up names no series, and makes no new ones', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('served'));
  const route = (name: string, filters: readonly object[]): Readonly<Record<string, unknown>> => ({
    name,
    service: 'shop',
    match: { hosts: HOSTS, path: `/${name}` },
    filters,
  });
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    parts: { consumers: { acme: {} }, limits: { few: { by: ['address'], allow: 1 } } },
    routes: [
      route('guarded', [{ authenticate: { key: {} } }]),
      route('limited', [{ addressLimit: { limits: ['few'] } }, { userAgents: { rules: [{ deny: '.*nobody.*' }] } }]),
      { name: 'open', service: 'shop', match: { hosts: HOSTS } },
    ],
  });
  const ask = async (what: string): Promise<void> => {
    for (const request of requestsWith(what)) {
      const client = await connectRaw(t, proxy.port);
      client.send(request);
      assert.match(await client.untilClosed(), /^HTTP\/1\.1 [2-5]/);
    }
  };
  const answered = (): number => reported(proxy, 'weir_local_replies_total');
  // Twice, as the limit lets one pass.
  await ask('first');
  await ask('second');
  await until(() => answered() === 9, 'the first are told');
  const before = seriesOf(proxy);
  assert.ok(before.size > 10, `${before.size}`);
  for (let one = 0; one < REQUESTS; one += 1) await ask(`made-up-${one}`);
  await until(() => answered() === 9 + 5 * REQUESTS, 'all are told');
  const made = [...seriesOf(proxy)].filter((series) => !before.has(series));
  assert.doesNotMatch(made.join('\n'), /made-up/i);
  // Something may have happened for the first time meanwhile, but not as often as something new was sent.
  assert.ok(made.length < REQUESTS / 3, made.join('\n'));
});
