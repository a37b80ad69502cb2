// Intents and audit records that follow one another, for tests of what keeps them.
import type { Intent, Revision } from '../../balancer/intent/intent.ts';
import { chainRevision } from '../../balancer/intent/revision.ts';

/** Revision `revision` of an intent in which a dial counts along. */
export function intentOf(revision: number): Intent {
  const weights = { blue: { eu: 70, us: 30 } };
  return {
    revision,
    services: {
      shop: {
        split: { blue: 1_000_000 },
        splitSeed: { blue: 1_000_000 },
        clusterWeights: weights,
        clusterWeightsSeed: weights,
        routes: ['front'],
      },
    },
    clusters: { eu: { admin: 'active', dialPercent: revision % 101 }, us: { admin: 'drain', dialPercent: 100 } },
  };
}

/** The record of that revision, chained to the one before. */
export function recordOf(revision: number, previous: Revision | null): Revision {
  return chainRevision(
    {
      revision,
      at: '2026-01-01T00:00:00.000Z',
      author: { name: 'alice', how: 'token alice' },
      source: 'operator',
      reason: `number ${revision}, with "quotes" and ü`,
      change: { kind: 'dial', cluster: 'eu', percent: revision % 101 },
      touched: [{ path: ['clusters', 'eu', 'dialPercent'], before: (revision - 1) % 101, after: revision % 101 }],
      undoes: null,
    },
    previous,
  );
}
