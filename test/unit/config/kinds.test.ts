// Single values: what is taken, what it becomes, what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bindsCollide,
  isAddressBlock,
  isAuthority,
  isHostPattern,
  isLoopback,
  parseBind,
  parseEndpoint,
  parseStatuses,
} from '../../../balancer/config/addresses.ts';
import { nearest } from '../../../balancer/config/nearest.ts';
import { parseDuration, parsePercent, parseSize } from '../../../balancer/config/quantities.ts';

test('durations are milliseconds, seconds, minutes, hours, or 0', () => {
  const table: readonly (readonly [unknown, number | null])[] = [
    ['500ms', 500],
    ['2s', 2000],
    ['1.5s', 1500],
    ['1.1s', 1100],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['0', 0],
    [0, 0],
    ['596h', 2_145_600_000],
    ['597h', null],
    ['0.5ms', null],
    ['1 s', null],
    ['1', null],
    [1, null],
    ['-1s', null],
    ['1d', null],
    ['1m30s', null],
    ['s', null],
    ['', null],
    [null, null],
  ];
  for (const [written, expected] of table) assert.equal(parseDuration(written), expected, JSON.stringify(written));
});

test('sizes have binary units, and percentages end at 100', () => {
  const sizes: readonly (readonly [unknown, number | null])[] = [
    ['512B', 512],
    ['64KiB', 65_536],
    ['10MiB', 10_485_760],
    ['1GiB', 1_073_741_824],
    ['64KB', null],
    ['64', null],
    [64, null],
    ['9999999999GiB', null],
  ];
  for (const [written, expected] of sizes) assert.equal(parseSize(written), expected, JSON.stringify(written));
  const percents: readonly (readonly [unknown, number | null])[] = [
    ['50%', 0.5],
    ['0%', 0],
    ['100%', 1],
    ['12.5%', 0.125],
    ['101%', null],
    ['50', null],
    [0.5, null],
  ];
  for (const [written, expected] of percents) assert.equal(parsePercent(written), expected, JSON.stringify(written));
});

test('a bind is an address of this machine and a port', () => {
  assert.deepEqual(parseBind('0.0.0.0:8080'), { host: '0.0.0.0', port: 8080 });
  assert.deepEqual(parseBind('[::1]:0'), { host: '::1', port: 0 });
  assert.deepEqual(parseBind('localhost:80'), { host: 'localhost', port: 80 });
  for (const wrong of [':80', '8080', '256.0.0.1:80', 'host.example:80', '::1:80', '[::g]:80', '127.0.0.1:65536', '127.0.0.1', 80, null])
    assert.equal(parseBind(wrong), null, JSON.stringify(wrong));
});

test('binds collide on one port when one of them takes every address', () => {
  const collide = (a: string, b: string): boolean => {
    const [one, other] = [parseBind(a), parseBind(b)];
    assert.ok(one !== null && other !== null);
    return bindsCollide(one, other);
  };
  assert.ok(collide('127.0.0.1:80', '127.0.0.1:80'));
  assert.ok(collide('0.0.0.0:80', '127.0.0.1:80'));
  assert.ok(collide('127.0.0.1:80', '[::]:80'));
  assert.ok(collide('localhost:80', '127.0.0.1:80'));
  assert.ok(!collide('127.0.0.1:80', '127.0.0.1:81'));
  assert.ok(!collide('127.0.0.1:80', '127.0.0.2:80'));
  assert.ok(!collide('0.0.0.0:80', '[::1]:80'));
  assert.ok(!collide('127.0.0.1:0', '127.0.0.1:0'));
});

test('loopback is what only this machine reaches', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) assert.ok(isLoopback({ host, port: 1 }), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1']) assert.ok(!isLoopback({ host, port: 1 }), host);
});

test('endpoints are URLs of a scheme, a host and a port, and nothing else', () => {
  assert.deepEqual(parseEndpoint('http://Gateway.internal'), {
    id: 'gateway.internal:80',
    scheme: 'http',
    host: 'gateway.internal',
    port: 80,
  });
  assert.deepEqual(parseEndpoint('https://[2001:db8::1]:8443/'), {
    id: '[2001:db8::1]:8443',
    scheme: 'https',
    host: '2001:db8::1',
    port: 8443,
  });
  assert.deepEqual(parseEndpoint('h2c://10.1.0.10:8080'), { id: '10.1.0.10:8080', scheme: 'h2c', host: '10.1.0.10', port: 8080 });
  assert.deepEqual(parseEndpoint('tcp://10.1.0.10:5432'), { id: '10.1.0.10:5432', scheme: 'tcp', host: '10.1.0.10', port: 5432 });
  for (const wrong of [
    'ftp://a',
    'h2://a',
    'tcp://a',
    'tcp://a:5432/x',
    'http://',
    'http://a/x',
    'http://a?x',
    'http://u:p@a',
    'http://a:0',
    'http://a:65536',
    'http://[a]',
    'http://a b',
    'a:80',
    1,
  ])
    assert.equal(parseEndpoint(wrong), null, JSON.stringify(wrong));
});

test('hosts of routes are names, wildcards and addresses without port', () => {
  for (const host of ['shop.example.com', '*.example.com', 'localhost', '192.0.2.7', '[2001:db8::1]', 'a_b.example'])
    assert.ok(isHostPattern(host), host);
  for (const host of ['*', '*.', 'a.*.com', '*a.com', 'shop.example.com:80', 'a..b', '-a.com', 'a/b', '', 7, 'a'.repeat(64)])
    assert.ok(!isHostPattern(host), JSON.stringify(host));
  assert.ok(isAuthority('shop.internal:8080') && isAuthority('[::1]:80') && isAuthority('shop'));
  assert.ok(!isAuthority('shop:99999') && !isAuthority('shop:') && !isAuthority('a b'));
});

test('address blocks are addresses with an optional prefix length', () => {
  for (const block of ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1', '0.0.0.0/0']) assert.ok(isAddressBlock(block), block);
  for (const block of ['10.0.0.0/33', '2001:db8::/129', '10.0.0/8', '10.0.0.0/', '10.0.0.0/8/8', 'fe80::1%eth0', 'all', 10])
    assert.ok(!isAddressBlock(block), String(block));
});

test('status codes are single ones, ranges, and lists of both', () => {
  assert.deepEqual(parseStatuses('200-399'), [{ from: 200, to: 399 }]);
  assert.deepEqual(parseStatuses([200, '300-399']), [
    { from: 200, to: 200 },
    { from: 300, to: 399 },
  ]);
  for (const wrong of ['399-200', '99', '600', 'ok', [], [200, 'x'], {}, null])
    assert.equal(parseStatuses(wrong), null, JSON.stringify(wrong));
});

test('the nearest word is found when it is near enough', () => {
  const words = ['interval', 'timeout', 'rise', 'fall', 'endpoints'];
  const table: readonly (readonly [string, string | null])[] = [
    ['intervall', 'interval'],
    ['intreval', 'interval'],
    ['Timeout', 'timeout'],
    ['rsie', 'rise'],
    ['endpoint', 'endpoints'],
    ['balance', null],
    ['x', null],
  ];
  for (const [written, expected] of table) assert.equal(nearest(written, words), expected, written);
});
