// How many connections an address has: IPv4 alone, IPv6 by its /64.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressCounts, countedAs } from '../../../balancer/listener/address-counts.ts';

test('an address has so many and no more, until one leaves', () => {
  const counts = new AddressCounts();
  assert.ok(counts.take('192.0.2.1', 2));
  assert.ok(counts.take('192.0.2.1', 2));
  assert.ok(!counts.take('192.0.2.1', 2));
  assert.ok(counts.take('192.0.2.2', 2));
  counts.release('192.0.2.1');
  assert.ok(counts.take('192.0.2.1', 2));
});

test('addresses of one /64 are one client, those of two are two', () => {
  const counts = new AddressCounts();
  assert.ok(counts.take('2001:db8:0:1::1', 1));
  assert.ok(!counts.take('2001:db8:0:1:ffff:ffff:ffff:ffff', 1));
  assert.ok(counts.take('2001:db8:0:2::1', 1));
});

for (const [address, key] of [
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:0DB8:0000:00a0:1:2:3:4', '2001:db8:0:a0'],
  ['::1', '0:0:0:0'],
  ['::', '0:0:0:0'],
  ['1::', '1:0:0:0'],
  ['1:2:3:4:5::', '1:2:3:4'],
  ['::2:3:4:5:6:7:8', '0:2:3:4'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
] as const) {
  test(`${address} counts as ${key}`, () => assert.equal(countedAs(address), key));
}
