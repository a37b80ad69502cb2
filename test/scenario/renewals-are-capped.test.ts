// Renewals one after the other: workers that drain are not piled up without bound, a second one is possible at once, so that an upgrade can be taken back, and
// what they still have is cut off only when somebody says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance, type Answer, type Appliance } from '../support/appliance.ts';
import { startHeldOrigin } from '../support/held-origin.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 20_000;
const REFUSED = /nothing has changed: 2 workers of renewals before drain yet.*--end-draining/;

test('a third renewal is refused while the workers of two before drain, until they are ended', { timeout: 90_000 }, async (t) => {
  const origin = await startHeldOrigin(t, 'one');
  const yaml = `drainDeadline: 10m
clusters: { one: { endpoints: ["${origin.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [ { name: shop, match: { path: / }, service: shop } ]
`;
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const renewed = async (...words: readonly string[]): Promise<void> => {
    const { code, stderr } = await appliance.weir(...words);
    assert.equal(code, 0, stderr);
  };
  /** A request that stays with the worker of now. */
  const hold = async (): Promise<{ readonly answer: Promise<Answer> }> => {
    const before = origin.held;
    const answer = appliance.get('/');
    answer.catch(() => undefined);
    await until(() => origin.held === before + 1, 'the request is at the origin', SETTLE_MS);
    return { answer };
  };

  const kept = [await hold()];
  await renewed('restart', 'workers');
  kept.push(await hold());
  await renewed('upgrade');
  for (const words of [['restart', 'workers'], ['upgrade']]) {
    const { code, stderr } = await appliance.weir(...words);
    assert.equal(code, 1);
    assert.match(stderr, REFUSED);
  }

  await renewed('upgrade', '--end-draining');
  for (const { answer } of kept) await assert.rejects(answer, 'it was cut off');
  assert.equal((await served(appliance, origin)).status, 200);
});

async function served(appliance: Appliance, origin: { readonly held: number; release(): void }): Promise<Answer> {
  const answer = appliance.get('/');
  await until(() => origin.held > 0, 'the request is at the origin', SETTLE_MS);
  origin.release();
  return answer;
}
