// What every balancing policy keeps to, alone and in a cluster: it picks one of the candidates it is given, leaves none out for good,
// changes nothing, and costs no memory; a cluster gives it no endpoint that is out of order or was tried.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BALANCES } from '../../balancer/upstream/policies/registry.ts';
import type { BalanceDefinition, BalancePolicy, Candidate } from '../../balancer/upstream/policies/policy.ts';
import { hash32 } from '../../balancer/message/key-hash.ts';
import type { Endpoint } from '../../balancer/upstream/endpoint.ts';
import type { Random } from '../../health/clock.ts';
import { from, portOf, setDown, upstreamBench } from '../support/cluster-upstream.ts';
import { seededRandom } from '../support/seeded-random.ts';

const candidate = (inFlight: number, latencyMs: number, index = 0): Candidate =>
  Object.freeze({ inFlight, latencyMs, seed: hash32(`10.0.0.${index}:80`, 0) });
const equal = (count: number): readonly Candidate[] => Array.from({ length: count }, (_, index) => candidate(0, 10, index));
const create = (definition: BalanceDefinition, random: Random): BalancePolicy => definition.create(random, { factor: 1.25 });
const keyOf = (client: number): number => hash32(`client ${client}`, 0);
const run = promisify(execFile);
const PICK_MEMORY = fileURLToPath(new URL('../support/pick-memory-process.ts', import.meta.url));
const PORTS = [1001, 1002, 1003, 1004];

for (const definition of BALANCES) {
  const yaml = `balance: ${definition.name}`;

  describe(`policy ${definition.name}`, () => {
    it('has a name of its own and says in a sentence what it does', () => {
      assert.equal(BALANCES.filter(({ name }) => name === definition.name).length, 1);
      assert.match(definition.name, /^[a-z]+(?:-[a-z]+)*$/);
      assert.match(definition.summary, /^[A-Z].*\.$/);
    });

    it('picks one of the candidates, however many there are from one request to the next', () => {
      const policy = create(definition, seededRandom(1));
      for (let i = 0; i < 500; i += 1) {
        const candidates = equal(1 + ((i * 7) % 5));
        const index = policy.pick(candidates, keyOf(i));
        assert.ok(Number.isInteger(index) && index >= 0 && index < candidates.length, `picked ${index} of ${candidates.length}`);
      }
    });

    it('picks the only one there is', () => {
      const policy = create(definition, seededRandom(2));
      for (let i = 0; i < 10; i += 1) assert.equal(policy.pick([candidate(1000, 1e6)], keyOf(i)), 0);
    });

    it('gives equal candidates equal parts', () => {
      const policy = create(definition, seededRandom(3));
      const candidates = equal(4);
      const picked = [0, 0, 0, 0];
      for (let i = 0; i < 8000; i += 1) {
        const index = policy.pick(candidates, keyOf(i));
        picked[index] = (picked[index] ?? 0) + 1;
      }
      // Binomial with n = 8000 and p = 1/4: a standard deviation is 38.7, five of them 194.
      for (const count of picked) assert.ok(Math.abs(count - 2000) <= 194, picked.join(' '));
    });

    if (definition.keyed === true)
      it('answers the same in every worker', () => {
        for (let client = 0; client < 200; client += 1) {
          const answers = [1, 2, 3].map((seed) => create(definition, seededRandom(seed)).pick(equal(5), keyOf(client)));
          assert.equal(new Set(answers).size, 1);
        }
      });
    else
      it('does not begin at the same place in every worker', () => {
        const first = new Set(Array.from({ length: 40 }, (_, seed) => create(definition, seededRandom(seed)).pick(equal(3), 0)));
        assert.equal(first.size, 3);
      });

    it('never gets an endpoint that is down or ejected while another is up', () => {
      const bench = upstreamBench(seededRandom(5));
      const cluster = bench.make(PORTS, yaml);
      setDown(cluster, 1001);
      const ejected = cluster.endpoints[2];
      for (let failure = 0; failure < 5; failure += 1) ejected?.detector.failure(0);
      cluster.refresh();
      const picked = new Set(Array.from({ length: 400 }, (_, client) => portOf(cluster.pick([], from(`10.1.0.${client}`)))));
      assert.deepEqual([...picked].sort(), [1002, 1004]);
    });

    it('is asked again for a retry and never names one that was tried', () => {
      const cluster = upstreamBench(seededRandom(6)).make(PORTS, yaml);
      for (let client = 0; client < 50; client += 1) {
        const tried: Endpoint[] = [];
        for (let next = cluster.pick(tried, from(`c${client}`)); next !== null; next = cluster.pick(tried, from(`c${client}`))) {
          assert.ok(!tried.includes(next));
          tried.push(next);
        }
        assert.equal(tried.length, PORTS.length);
      }
    });

    it('gives an endpoint that comes back little at first, and all of its part in the end', () => {
      const bench = upstreamBench(seededRandom(7));
      const cluster = bench.make(PORTS, `${yaml}, slowStart: { window: 10s }`);
      setDown(cluster, 1001);
      bench.clock.advance(60_000);
      bench.deadlines.sweep();
      setDown(cluster);
      const part = (): number => {
        let count = 0;
        for (let client = 0; client < 8000; client += 1) if (portOf(cluster.pick([], from(`client ${client}`))) === 1001) count += 1;
        return count / 8000;
      };
      const steps = [0, 5000, 5000].map((ms) => {
        bench.clock.advance(ms);
        bench.deadlines.sweep();
        return part();
      });
      // With part p beside three whole ones it gets p / (p + 3); five standard deviations of 8000 draws are at most 0.024.
      for (const [index, share] of [0.1 / 3.1, 0.5 / 3.5, 1 / 4].entries())
        assert.ok(Math.abs((steps[index] ?? 0) - share) <= 0.024, `${steps[index]} at step ${index}, expected ${share}`);
    });

    it('costs no memory', async () => {
      const { stdout } = await run(process.execPath, [PICK_MEMORY, definition.name]);
      // The smallest object there is has 16 bytes.
      assert.ok(Number(stdout) < 1, `a pick takes ${stdout} bytes`);
    });
  });
}

for (const name of ['peak-ewma', 'least-request']) {
  it(`policy ${name} never picks the worst of two`, () => {
    const policy = BALANCES.find((definition) => definition.name === name)?.create(seededRandom(4), { factor: 1.25 });
    for (let i = 0; i < 100; i += 1) assert.equal(policy?.pick([candidate(9, 50), candidate(1, 20)], 0), 1);
  });
}

it('an endpoint that fails fast is not the one that looks best to peak-ewma', () => {
  const { endpoints } = upstreamBench().make([1001, 1002], 'balance: peak-ewma');
  const [quick, sound] = endpoints;
  assert.ok(quick !== undefined && sound !== undefined);
  for (const endpoint of endpoints) endpoint.observeLatency(20);
  quick.observeFailure();
  quick.observeLatency(1);
  const policy = BALANCES.find((definition) => definition.name === 'peak-ewma')?.create(seededRandom(4), { factor: 1.25 });
  for (let i = 0; i < 100; i += 1) assert.equal(policy?.pick([quick, sound], 0), 1);
});
