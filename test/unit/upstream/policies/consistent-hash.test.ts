// Keys stay where they are: only those of an endpoint that leaves move, and only while it is busier than the others by more than the factor.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { hash32 } from '../../../../balancer/message/key-hash.ts';
import { consistentHash } from '../../../../balancer/upstream/policies/consistent-hash.ts';
import type { Candidate } from '../../../../balancer/upstream/policies/policy.ts';
import { from, portOf, setDown, upstreamBench } from '../../../support/cluster-upstream.ts';

const fleet = (count: number): Candidate[] =>
  Array.from({ length: count }, (_, index) => ({ inFlight: 0, latencyMs: 1, seed: hash32(`10.0.0.${index}:80`, 0) }));
const policy = (factor: number) => consistentHash.create(Math.random, { factor });
const int32 = fastCheck.integer({ min: 0, max: 0xffff_ffff });

test('when an endpoint leaves its own keys move and no other, to all that stay alike', () => {
  const all = fleet(5);
  const left = all.filter((_, index) => index !== 2);
  const moved = new Map<Candidate | undefined, number>();
  for (let client = 0; client < 20_000; client += 1) {
    const key = hash32(`client ${client}`, 0);
    const before = all[policy(2).pick(all, key)];
    const after = left[policy(2).pick(left, key)];
    if (before === all[2]) moved.set(after, (moved.get(after) ?? 0) + 1);
    else assert.equal(after, before);
  }
  assert.equal(moved.size, 4);
  // A fifth of the keys, a quarter of those each: 1,000, and five standard deviations of a binomial are 154.
  for (const count of moved.values()) assert.ok(Math.abs(count - 1000) <= 154, [...moved.values()].join(' '));
});

test('nobody has more than ceil(factor × mean) in flight, whatever the keys', () => {
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(int32, { minLength: 1, maxLength: 300 }),
      fastCheck.integer({ min: 1, max: 12 }),
      fastCheck.double({ min: 1.25, max: 2, noNaN: true }),
      (keys, count, factor) => {
        const candidates = fleet(count).map((one) => ({ ...one }));
        for (const [sent, key] of keys.entries()) {
          const chosen = candidates[policy(factor).pick(candidates, key)];
          assert.ok(chosen !== undefined);
          chosen.inFlight += 1;
          assert.ok(chosen.inFlight <= Math.ceil((factor * (sent + 1)) / count));
        }
      },
    ),
  );
});

test('a key goes home when its endpoint has room again', () => {
  const candidates = fleet(3).map((one) => ({ ...one }));
  const key = 12_345;
  const home = policy(1.25).pick(candidates, key);
  const busy = candidates[home];
  assert.ok(busy !== undefined);
  busy.inFlight = 10;
  assert.notEqual(policy(1.25).pick(candidates, key), home);
  busy.inFlight = 0;
  assert.equal(policy(1.25).pick(candidates, key), home);
});

test('the key is what the cluster says: a field, a cookie, a parameter or the address', () => {
  for (const [key, request] of [
    ['header:X-User', { fields: ['x-user', 'ann'], query: '' }],
    ['cookie:sid', { fields: ['cookie', 'a=b; sid=ann'], query: '' }],
    ['query:user', { fields: [], query: 'page=2&user=ann' }],
    ['address', { fields: [], query: '' }],
  ] as const) {
    const cluster = upstreamBench().make([1, 2, 3, 4, 5, 6, 7], `balance: consistent-hash, hash: { key: "${key}" }`);
    const places = new Set(
      Array.from({ length: 30 }, (_, i) =>
        portOf(cluster.pick([], { fields: [...request.fields], query: request.query, clientAddress: key === 'address' ? 'ann' : `${i}` })),
      ),
    );
    assert.equal(places.size, 1, key);
  }
});

test('a request without the key goes anywhere', () => {
  const cluster = upstreamBench().make([1, 2, 3], 'balance: consistent-hash, hash: { key: "header:x-user" }');
  assert.equal(new Set(Array.from({ length: 60 }, () => portOf(cluster.pick([], from('192.0.2.1'))))).size, 3);
});

test('a key comes back to its endpoint within the slow start, once', () => {
  const bench = upstreamBench();
  const cluster = bench.make([1, 2, 3, 4], 'balance: consistent-hash, slowStart: { window: 10s }');
  const placesOf = () => Array.from({ length: 500 }, (_, client) => portOf(cluster.pick([], from(`client ${client}`))));
  const home = placesOf();
  setDown(cluster, 1);
  setDown(cluster);
  let returned = new Set<number>();
  for (let second = 0; second <= 10; second += 1) {
    const now = new Set(placesOf().flatMap((port, client) => (port === 1 && home[client] === 1 ? [client] : [])));
    assert.ok([...returned].every((client) => now.has(client)));
    returned = now;
    bench.clock.advance(1000);
    bench.deadlines.sweep();
  }
  assert.equal(returned.size, home.filter((port) => port === 1).length);
  assert.deepEqual(placesOf(), home);
});
