// What every balancing policy keeps to: it picks one of the candidates it is given, leaves none out for good, and changes nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BALANCES } from '../../balancer/upstream/policies/registry.ts';
import type { Candidate } from '../../balancer/upstream/policies/policy.ts';
import { seededRandom } from '../support/seeded-random.ts';

const equal = (count: number): readonly Candidate[] => Array.from({ length: count }, () => Object.freeze({ inFlight: 0, latencyMs: 10 }));

for (const definition of BALANCES) {
  describe(`policy ${definition.name}`, () => {
    it('has a name of its own and says in a sentence what it does', () => {
      assert.equal(BALANCES.filter(({ name }) => name === definition.name).length, 1);
      assert.match(definition.name, /^[a-z]+(?:-[a-z]+)*$/);
      assert.match(definition.summary, /^[A-Z].*\.$/);
    });

    it('picks one of the candidates, however many there are from one request to the next', () => {
      const policy = definition.create(seededRandom(1));
      for (let i = 0; i < 500; i += 1) {
        const candidates = equal(1 + ((i * 7) % 5));
        const index = policy.pick(candidates);
        assert.ok(Number.isInteger(index) && index >= 0 && index < candidates.length, `picked ${index} of ${candidates.length}`);
      }
    });

    it('picks the only one there is', () => {
      const policy = definition.create(seededRandom(2));
      for (let i = 0; i < 10; i += 1) assert.equal(policy.pick([{ inFlight: 1000, latencyMs: 1e6 }]), 0);
    });

    it('gives equal candidates equal parts', () => {
      const policy = definition.create(seededRandom(3));
      const candidates = equal(4);
      const picked = [0, 0, 0, 0];
      for (let i = 0; i < 8000; i += 1) {
        const index = policy.pick(candidates);
        picked[index] = (picked[index] ?? 0) + 1;
      }
      // Binomial with n = 8000 and p = 1/4: a standard deviation is 38.7, five of them 194.
      for (const count of picked) assert.ok(Math.abs(count - 2000) <= 194, picked.join(' '));
    });

    it('does not begin at the same place in every worker', () => {
      const first = new Set(Array.from({ length: 40 }, (_, seed) => definition.create(seededRandom(seed)).pick(equal(3))));
      assert.equal(first.size, 3);
    });
  });
}

for (const name of ['peak-ewma', 'least-request']) {
  it(`policy ${name} never picks the worst of two`, () => {
    const policy = BALANCES.find((definition) => definition.name === name)?.create(seededRandom(4));
    for (let i = 0; i < 100; i += 1)
      assert.equal(
        policy?.pick([
          { inFlight: 9, latencyMs: 50 },
          { inFlight: 1, latencyMs: 20 },
        ]),
        1,
      );
  });
}
