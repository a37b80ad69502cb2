// What `weir wait --for` waits for: each condition met, not yet met, impossible, and misspelt.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutView, StatusView, WorkerView } from '../../../balancer/controller/api/views.ts';
import { type Sight, parseCondition } from '../../../tui/conditions.ts';
import { CommandFailure } from '../../../tui/exit.ts';
import { RecordingAppliance } from '../../support/recording-appliance.ts';
import { rolloutView } from '../../support/statuses.ts';

const appliance = new RecordingAppliance();
const base: Sight = { status: appliance.status('read'), workers: appliance.workers().items, rollouts: [] };

function sight(status: Partial<StatusView>, workers: readonly WorkerView[] = base.workers): Sight {
  return { ...base, status: { ...base.status, ...status }, workers };
}

function judge(condition: string, at: Sight = base): string {
  const verdict = parseCondition(condition)(at);
  if (verdict.state === 'pending') return `pending: ${verdict.now}`;
  return verdict.state === 'met' ? 'met' : `${verdict.state}: ${verdict.message}`;
}

describe('conditions', () => {
  test('a rollout is waited for until it is promoted, or has ended otherwise', () => {
    const at = (phase: RolloutView['phase'], note = ''): Sight => ({ ...base, rollouts: [rolloutView('demo', { phase, note })] });
    assert.equal(judge('rollout:demo', at('promoted')), 'met');
    assert.equal(judge('rollout:demo', at('running')), 'pending: the rollout of demo to green is running, step 3 of 5');
    assert.equal(judge('rollout:demo', at('rolled_back', 'errors<1%')), 'failed: the rollout of demo to green is rolled back: errors<1%');
    assert.equal(judge('rollout:demo', at('frozen')), 'failed: the rollout of demo to green is frozen');
    assert.match(judge('rollout:demo'), /^impossible: there never was a rollout of demo/);
    assert.match(judge('rollout:nosuch'), /^impossible: no service named/);
  });

  test('stable means nothing degraded, all workers ready, all health known', () => {
    assert.equal(judge('stable'), 'met');
    assert.equal(judge('stable', sight({ degraded: ['cluster one is down'] })), 'pending: cluster one is down');
    assert.equal(judge('stable', sight({ workersReady: 3 })), 'pending: 3 of 4 workers ready');
    const clusters = base.status.clusters.map((cluster) => ({ ...cluster, health: 'unknown' as const }));
    assert.equal(judge('stable', sight({ clusters })), 'pending: health of one unknown; health of two unknown');
    const resting = clusters.map((cluster) => ({ ...cluster, admin: 'maintenance' as const }));
    assert.equal(judge('stable', sight({ clusters: resting })), 'met', 'a cluster in maintenance may be unknown');
  });

  test('a revision counts when every worker serves it', () => {
    assert.equal(judge('revision:1'), 'met');
    assert.equal(judge('revision:2'), 'pending: revision 1');
    const later = { revision: 5, plan: 9 };
    const workers = base.workers.map((worker, index) => ({ ...worker, plan: index === 2 ? 8 : 9 }));
    assert.equal(judge('revision:4', sight(later, workers)), 'pending: revision 5, not yet served by worker-3');
    const leaving = workers.map((worker) => (worker.plan === 8 ? { ...worker, state: 'draining' as const } : worker));
    assert.equal(judge('revision:4', sight(later, leaving)), 'met', 'a worker on its way out is not waited for');
    const heard = base.workers.slice(1).map((worker) => ({ ...worker, plan: 9 }));
    assert.equal(
      judge('revision:4', sight(later, heard)),
      'pending: revision 5, not yet served by 1 of 4 workers that are not heard of yet',
      'a controller that has just started does not know them all',
    );
  });

  test('states of clusters and agents', () => {
    assert.equal(judge('health:one=up'), 'met');
    assert.equal(judge('health:one=down'), 'pending: one is up');
    assert.equal(judge('agent:two=stale'), 'pending: two is fresh');
    assert.equal(judge('health:three=up'), 'impossible: no cluster named "three"; there are one, two');
    assert.equal(judge('idle:one'), 'pending: one still gets 812 requests/s');
  });

  test('a drained cluster is empty when it says so, and what is left is told until then', () => {
    const drained = (empty: boolean | null, tunnelsCloseInSeconds: number | null): Sight => {
      const running = { requests: 1, tunnels: 40 };
      return sight({ clusters: base.status.clusters.map((cluster) => ({ ...cluster, empty, running, tunnelsCloseInSeconds })) });
    };
    assert.equal(judge('empty:one', drained(null, null)), 'pending: one is active');
    assert.equal(judge('empty:one', drained(false, null)), 'pending: one has 1 request and 40 tunnels left');
    assert.equal(judge('empty:one', drained(false, 570)), 'pending: one has 1 request and 40 tunnels left; tunnels close in 9m30s');
    assert.equal(judge('empty:one', drained(false, 0)), 'pending: one has 1 request and 40 tunnels left; tunnels are being closed');
    assert.equal(judge('empty:one', drained(true, null)), 'met');
  });

  test('shares are effective ones, summed over clusters', () => {
    assert.equal(judge('share:demo/blue>=100'), 'met');
    assert.equal(judge('share:demo/blue=100%'), 'met');
    assert.equal(judge('share:demo/green<=0'), 'met');
    assert.equal(judge('share:demo/green>=0.0001'), 'pending: demo/green has 0%');
    assert.equal(judge('share:demo/red>=1'), 'impossible: no version named "red"; there are blue, green');
    assert.equal(judge('share:shop/blue>=1'), 'impossible: no service named "shop"; there are demo, lonely');
  });

  test('what cannot be read is refused with the forms there are', () => {
    const bad = [
      '',
      'stabel',
      'revision',
      'revision:',
      'revision:x',
      'health:one',
      'health:one=fine',
      'agent:=fresh',
      'share:demo>=5',
      'share:demo/blue>5',
      'idle:',
      'empty:',
      'constructor:x',
      ':',
    ];
    for (const text of bad) {
      assert.throws(
        () => parseCondition(text),
        (error: unknown) => error instanceof CommandFailure && error.exitCode === 2 && error.message.includes('health:CLUSTER=STATE'),
        text,
      );
    }
  });
});
