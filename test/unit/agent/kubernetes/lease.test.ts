// Two agents and one Lease: one leads, the other waits and takes over; epochs rise whatever happens to the Lease, the clock and the API server.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EPOCH_ANNOTATION, LEASE_MS, LeaseElection } from '../../../../agent/kubernetes/lease.ts';
import type { KubernetesRequest } from '../../../../agent/kubernetes/request.ts';
import { silentLog } from '../../../../balancer/log.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { ObjectServer } from '../../../support/object-server.ts';
import { fixedRandom } from '../../../support/seeded-random.ts';
import { until } from '../../../support/until.ts';

const PATH = '/apis/coordination.k8s.io/v1/namespaces/weir/leases/weir-agent';

/** An agent that stands for the Lease; time is the test's. */
class Candidate {
  readonly clock: ManualClock;
  readonly election: LeaseElection;
  readonly log: string[] = [];
  epoch: number | null = null;
  /** Each that it was told; null: another one leads. */
  readonly epochs: (number | null)[] = [];
  #requests = 0;
  #answers = 0;

  constructor(identity: string, request: KubernetesRequest, wallMs = Date.parse('2026-11-21T10:00:00Z')) {
    this.clock = new ManualClock(0, wallMs);
    const counted: KubernetesRequest = async (...asked) => {
      this.#requests += 1;
      try {
        return await request(...asked);
      } finally {
        this.#answers += 1;
      }
    };
    const log = { ...silentLog, warn: (fields: Readonly<Record<string, unknown>>) => this.log.push(String(fields['problem'])) };
    const onChange = (leading: { readonly epoch: number } | null): void => {
      this.epoch = leading?.epoch ?? null;
      this.epochs.push(this.epoch);
    };
    const parts = { request: counted, clock: this.clock, random: fixedRandom(0), log, onChange };
    this.election = new LeaseElection({ namespace: 'weir', name: 'weir-agent', identity }, parts);
  }

  async start(): Promise<void> {
    this.election.start();
    await this.#settled();
  }

  /** Seconds pass, one look after the other. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1000);
      await this.#settled();
    }
  }

  /** The look that is under way is over: it has set the timer of the next. */
  async #settled(): Promise<void> {
    await until(() => this.#requests === this.#answers && this.clock.pending > 0, 'a look is over');
  }
}

async function passTogether(seconds: number, ...candidates: readonly Candidate[]): Promise<void> {
  for (let second = 0; second < seconds; second += 1) for (const one of candidates) await one.pass(1);
}

describe('who leads', () => {
  test('the first one does, renews, and the other waits', async () => {
    await using server = await ObjectServer.start();
    const [one, other] = [new Candidate('pod-a', server.request), new Candidate('pod-b', server.request)];
    await one.start();
    await other.start();
    await passTogether(60, one, other);
    assert.deepEqual([one.epoch === null, other.epoch], [false, null]);
    assert.equal(one.election.holds, true);
    assert.equal(server.member(PATH, 'spec', 'holderIdentity'), 'pod-a');
    assert.equal(server.member(PATH, 'spec', 'leaseTransitions'), 0);
    assert.equal(server.member(PATH, 'metadata', 'annotations', EPOCH_ANNOTATION), String(one.epoch));
    await one.election.close();
    await other.election.close();
  });

  test('one that dies is followed when its Lease has run out, with a higher epoch, though the clocks of the two disagree by a year', async () => {
    await using server = await ObjectServer.start();
    const one = new Candidate('pod-a', server.request);
    const other = new Candidate('pod-b', server.request, Date.parse('2025-11-21T10:00:00Z'));
    await one.start();
    await other.start();
    await passTogether(10, one, other);
    // Its clock stands still: it renews no more.
    await other.pass(LEASE_MS / 1000 - 2);
    assert.equal(other.epoch, null, 'not before');
    await other.pass(6);
    assert.ok(
      other.epochs.at(-1) !== null && Number(other.epochs.at(-1)) > Number(one.epochs.at(-1)),
      `${other.epochs.join()} after ${one.epochs.join()}`,
    );
    await one.pass(4);
    assert.deepEqual([one.epochs.length, one.epochs.at(-1)], [2, null], 'the old one sees who leads');
    await one.election.close();
    await other.election.close();
  });

  test('one that ends in order is followed at its next look', async () => {
    await using server = await ObjectServer.start();
    const [one, other] = [new Candidate('pod-a', server.request), new Candidate('pod-b', server.request)];
    await one.start();
    await other.start();
    const { epoch } = one;
    await one.election.close();
    await other.pass(2);
    assert.ok(other.epoch !== null && epoch !== null && other.epoch > epoch);
    await other.election.close();
    assert.equal(one.clock.pending + other.clock.pending, 0);
  });

  test('of two that see the Lease run out together one gets it', async () => {
    await using server = await ObjectServer.start();
    server.put(PATH, { metadata: { name: 'weir-agent' }, spec: { holderIdentity: 'pod-gone', leaseDurationSeconds: 15 } });
    // Both have read it before either writes: the second write names a version that is no more.
    let isGated = false;
    const held: (() => void)[] = [];
    const together: KubernetesRequest = async (method, ...rest) => {
      const answer = await server.request(method, ...rest);
      if (method !== 'GET' || !isGated) return answer;
      await new Promise<void>((resolve) => {
        held.push(resolve);
        if (held.length === 2) held.forEach((go) => go());
      });
      return answer;
    };
    const [one, other] = [new Candidate('pod-a', together), new Candidate('pod-b', together)];
    await one.start();
    await other.start();
    await passTogether(LEASE_MS / 1000, one, other);
    assert.deepEqual([one.epoch, other.epoch], [null, null]);
    isGated = true;
    await Promise.all([one.pass(1), other.pass(1)]);
    isGated = false;
    assert.deepEqual(
      server.calls.slice(-2).map(({ method, status }) => `${method} ${status}`),
      ['PUT 200', 'PUT 409'],
    );
    assert.equal([one, other].filter(({ epoch }) => epoch !== null).length, 1);
    await one.election.close();
    await other.election.close();
  });

  test('a process that finds its own name is the heir of one that died, at once and with a new epoch', async () => {
    await using server = await ObjectServer.start();
    const first = new Candidate('pod-a', server.request);
    await first.start();
    const again = new Candidate('pod-a', server.request);
    await again.start();
    assert.ok(again.epoch !== null && first.epoch !== null && again.epoch > first.epoch);
    await again.election.close();
  });
});

describe('trouble', () => {
  test('a holder that cannot reach the API server goes on to speak, and holds nothing for certain any more', async () => {
    await using server = await ObjectServer.start();
    const one = new Candidate('pod-a', server.request);
    await one.start();
    const { epoch } = one;
    server.trouble = 500;
    await one.pass(LEASE_MS / 1000 + 5);
    assert.deepEqual([one.epoch, one.election.holds], [epoch, false]);
    assert.deepEqual(one.log, ['the API server answered 500: as the test wants it (500)'], 'the same trouble is told once');
    server.trouble = 'none';
    await one.pass(2);
    assert.deepEqual([one.epoch, one.election.holds], [epoch, true]);
    await one.election.close();
  });

  test('one that waits leads no sooner because the API server is away', async () => {
    await using server = await ObjectServer.start();
    server.put(PATH, { metadata: { name: 'weir-agent' }, spec: { holderIdentity: 'pod-b', leaseDurationSeconds: 15 } });
    const one = new Candidate('pod-a', server.request);
    await one.start();
    server.trouble = 503;
    await one.pass(120);
    assert.equal(one.epoch, null);
    await one.election.close();
  });

  test('a renewal whose answer was lost changes nothing', async () => {
    await using server = await ObjectServer.start();
    const one = new Candidate('pod-a', server.request);
    await one.start();
    const { epoch } = one;
    server.trouble = 'lose';
    await one.pass(3);
    server.trouble = 'none';
    await one.pass(3);
    assert.deepEqual([one.epoch, one.election.holds], [epoch, true]);
    await one.election.close();
  });

  test('a Lease that was deleted is made again, with a higher epoch', async () => {
    await using server = await ObjectServer.start();
    const one = new Candidate('pod-a', server.request);
    await one.start();
    const { epoch } = one;
    server.objects.clear();
    await one.pass(3);
    assert.ok(one.epoch !== null && epoch !== null && one.epoch > epoch);
    await one.election.close();
  });

  test('without the right to leases it says what is missing', async () => {
    await using server = await ObjectServer.start();
    server.trouble = 403;
    const one = new Candidate('pod-a', server.request);
    await one.start();
    assert.deepEqual([one.epoch, one.log], [null, ['the API server answered 403: as the test wants it (403)']]);
    await one.election.close();
  });
});
