// A cluster that is lost under load costs no request that may be sent twice: killed, frozen, cut off from the network, or half broken.
import assert from 'node:assert/strict';
import { describe, it, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { failuresOf, keepClients } from '../support/kept-clients.ts';
import { startLostCluster } from '../support/lost-cluster.ts';
import { makeNamespace } from '../support/network-namespace.ts';
import { PacedLoad, type Paced } from '../support/paced-load.ts';
import { until } from '../support/until.ts';
import type { Appliance } from '../support/appliance.ts';

/** Long enough for a limit of tries in every worker. */
const WARM_UP_MS = 2000;
/** The limit of a try, the sweep that notices it, and the answer of the other place. */
const SLOW_MS = 500;
/** A machine that is busy with something else stops for longer than a try may take; the figure above is told, this one holds in any case. */
const NOTICED_MS = 1000;
/** Up to so many requests a second, slow answers tell of weir and not of who asks. */
const TELLING_RATE = 200;
/** Workers tell their figures once a second, and the last of them may be under way. */
const TOLD_MS = 2000;

const outcome = (t: TestContext, all: readonly Paced[]): void => {
  const slow = all.filter(({ tookMs }) => tookMs > SLOW_MS).length;
  const slowest = Math.round(Math.max(...all.map(({ tookMs }) => tookMs)));
  t.diagnostic(`${all.length} requests, ${failed(all).length} failed, ${slow} slower than ${SLOW_MS} ms, slowest ${slowest} ms`);
};

const failed = (all: readonly Paced[]): readonly unknown[] => failuresOf(all.map((one) => ({ ...one, atMs: one.sentAtMs })));

/** Attempts in the lost cluster that came to nothing. */
const lostAttempts = (appliance: Appliance): Promise<number> => appliance.metricSum('weir_upstream_failures_total');

/** `lose` under load; from `cleanAfterMs` on nothing may be sent to the lost cluster. */
async function underLoad(t: TestContext, perSecond: number, what: { appliance: Appliance; lose: () => void; cleanAfterMs: number }) {
  const { appliance, lose, cleanAfterMs } = what;
  // Over many connections, so that every worker knows both clusters.
  await keepClients(t, appliance.url(), 16).ask(400);
  const load = new PacedLoad(t, appliance.url(), perSecond);
  await delay(WARM_UP_MS);
  lose();
  const lostAtMs = performance.now();
  await delay(cleanAfterMs + TOLD_MS);
  const before = await lostAttempts(appliance);
  await delay(TOLD_MS);
  const after = await lostAttempts(appliance);
  const all = await load.stop();
  outcome(t, all);
  assert.ok(before > 0, 'the lost cluster was tried');
  assert.equal(after, before, 'nothing is sent to it any more');
  // At a high rate the clients of this process are what is slow where two cores have other work too.
  const sentLater = all.filter(({ sentAtMs }) => perSecond <= TELLING_RATE && sentAtMs > lostAtMs + cleanAfterMs);
  const late = sentLater.filter(({ tookMs }) => tookMs > NOTICED_MS);
  assert.deepEqual(late, [], 'none that was sent later is slow');
  return all;
}

test('killed at 1,000 requests a second: none fails', async (t) => {
  const { appliance, lost } = await startLostCluster(t);
  const all = await underLoad(t, 1000, { appliance, lose: () => lost.signal('SIGKILL'), cleanAfterMs: 1000 });
  assert.deepEqual(failed(all), []);
});

test('frozen at 100 requests a second: none fails, and at most 3 are slow', async (t) => {
  const { appliance, lost } = await startLostCluster(t);
  const all = await underLoad(t, 100, { appliance, lose: () => lost.signal('SIGSTOP'), cleanAfterMs: 3000 });
  assert.deepEqual(failed(all), []);
  const slow = all.filter(({ tookMs }) => tookMs > NOTICED_MS);
  assert.ok(slow.length <= 3, `${slow.length} slow`);
});

test('cut off from the network, with no reset: at most one in a thousand fails', async (t) => {
  const made = makeNamespace(t);
  if (typeof made === 'string') return t.skip(`NOT TESTED: no network namespace can be made here: ${made}`);
  const { appliance } = await startLostCluster(t, made.where);
  const all = await underLoad(t, 200, { appliance, lose: made.vanish, cleanAfterMs: 2000 });
  assert.ok(failed(all).length <= all.length / 1000, JSON.stringify(failed(all).slice(0, 3)));
});

describe('half broken', { concurrency: true }, () => {
  // Of half of the traffic. With 0.4 of its weight a failing one would have 28.6 points of 100, when the errors fill the window of 5 s; half full, 41.2.
  const GOALS = { failing: 0.41, slow: 0.25 } as const;
  for (const mode of ['failing', 'slow'] as const) {
    it(`${mode}: within 5 seconds it has ${100 * GOALS[mode]} % of the traffic at most, of 50`, async (t) => {
      const { appliance, lost } = await startLostCluster(t);
      const shareOf = async (): Promise<number> =>
        (await appliance.status()).clusters.find(({ name }) => name === 'lost')?.effectiveShare ?? 0;
      const before = await shareOf();
      assert.equal(before, 0.5);
      const load = new PacedLoad(t, appliance.url(), 100);
      await delay(WARM_UP_MS);
      lost.behave(mode);
      const reduced = async (): Promise<boolean> => (await shareOf()) <= GOALS[mode];
      await until(reduced, 'the share of the lost cluster is reduced', 5000);
      outcome(t, await load.stop());
    });
  }
});
