// Redis, as the file says where it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaded, problemsOf, SMALL_CONFIG } from '../../support/config-text.ts';

const withRedis = (redis: string): string => `state: { redis: ${redis} }\n${SMALL_CONFIG}`;

test('a host whose file names no Redis is alone', () => assert.equal(loaded(SMALL_CONFIG).redis, null));

test('a URL names one server, with TLS where it says rediss', () => {
  const redis = loaded(
    withRedis('{ url: "rediss://redis.internal/2", keyFile: fleet.keys, username: weir, password: { env: SECRET } }'),
  ).redis;
  assert.deepEqual(
    { ...redis, keyFile: redis?.keyFile.replace(/.*\//, '') },
    {
      place: { kind: 'single', node: { host: 'redis.internal', port: 6379 } },
      database: 2,
      username: 'weir',
      password: { env: 'SECRET' },
      tls: { ca: null, serverName: null },
      keyFile: 'fleet.keys',
      fleet: 'weir',
      timeoutMs: 500,
      limitTimeoutMs: 50,
    },
  );
  assert.equal(loaded(withRedis('{ url: "redis://127.0.0.1:7000", keyFile: k }')).redis?.tls, null);
});

test('Sentinels or nodes of a cluster stand in place of a URL', () => {
  const sentinel = loaded(withRedis('{ sentinel: { name: main, nodes: ["s1:26379", "[::1]:26379"] }, keyFile: k, tls: {} }')).redis;
  const nodes = [
    { host: 's1', port: 26_379 },
    { host: '::1', port: 26_379 },
  ];
  assert.deepEqual(sentinel?.place, { kind: 'sentinel', name: 'main', nodes, password: null });
  assert.deepEqual(sentinel.tls, { ca: null, serverName: null });
  assert.equal(loaded(withRedis('{ cluster: { nodes: ["r1:6379"] }, keyFile: k }')).redis?.place.kind, 'cluster');
});

for (const [wrong, said] of [
  ['{ keyFile: k }', /state\.redis: expected exactly one of url, sentinel and cluster, for example url: "rediss:/],
  ['{ url: "redis://r", cluster: { nodes: ["r:1"] }, keyFile: k }', /expected exactly one of url, sentinel and cluster/],
  [
    '{ url: "redis://r", keyFile: k, limitTimeout: 2s }',
    /limitTimeout: "2s" is longer than a request may wait to be counted; expected at most 500ms/,
  ],
  ['{ url: "redis://r" }', /state\.redis: .*keyFile/],
  ['{ url: "http://r", keyFile: k }', /state\.redis\.url: .*rediss:\/\/redis\.internal:6379/],
  ['{ url: "rediss://:secret@r", keyFile: k }', /no user and no password in the URL; write username, and password: \{ file: … \}/],
  [
    '{ url: "redis://r", keyFile: k, password: { env: P } }',
    /state\.redis\.password: the password would be sent in the clear; write rediss:/,
  ],
  ['{ url: "redis://r", keyFile: k, tls: {} }', /a redis:\/\/ url is plain; write rediss:\/\/ for TLS, or remove tls/],
  ['{ cluster: { nodes: ["r"] }, keyFile: k }', /nodes\[0\]: .*redis\.internal:6379/],
  ['{ url: "rediss://r", keyFile: k, password: {} }', /expected where the secret is, either \{ file: … \} or \{ env: … \}/],
] as const) {
  test(`${wrong} is refused with its place and what was expected`, () => assert.match(problemsOf(withRedis(wrong)).join('\n'), said));
}
