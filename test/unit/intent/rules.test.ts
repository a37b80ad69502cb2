// The rules of the config that changes keep: what each forbids, what it lets pass, and how they are overruled.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyChange, type ChangeOutcome, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { SafetyConfig } from '../../../balancer/config/safety-config.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import type { Facts } from '../../../balancer/intent/safety.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed, endOverride } from '../../../balancer/intent/timed-change.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { applyRollout } from '../../../balancer/rollout/apply-rollout.ts';
import { fleetConfig } from '../../support/fleet-config.ts';

const versions = { blue: { eu: 1, us: 1, ap: 1 }, green: { eu: 1, us: 1, ap: 1 } };
const config = fleetConfig({ services: { shop: { versions, split: { blue: 90, green: 10 } } } });
const seeded = seedIntent(config, null).intent;
const FRIDAY_EVENING = Date.parse('2026-01-02T18:30:00.000Z');
const FREE: SafetyConfig = {
  ...{ requireExpiry: [], minActiveClusters: 1, maxShift: 1_000_000, maxCapacityOut: 1, freeze: [] },
  approval: { services: [], waitMs: 3_600_000 },
};

const withRules = (safety: Partial<SafetyConfig>, facts: Partial<Facts> = {}): Facts => ({
  ...config,
  safety: { ...FREE, ...safety },
  ...facts,
});
const drain = (cluster: string): DirectChange => ({ kind: 'admin', cluster, state: 'drain' });
const shift = (green: number): DirectChange => ({ kind: 'shift', service: 'shop', percents: { green } });

describe('rules', () => {
  test('a service keeps its least number of open clusters, and one that has fewer must not lose one', () => {
    const rules = withRules({ minActiveClusters: 2 });
    const one = made(applyChange(seeded, drain('eu'), rules));
    assert.match(
      refused(applyChange(one, drain('us'), rules)),
      /service "shop" would have 1 open cluster, and needs 2.*rule safety\.minActiveClusters/,
    );
    made(applyChange(made(applyChange(one, drain('us'), withRules({}))), shift(20), rules));
  });

  test('a change moves no more of a service than one step may, among versions or clusters', () => {
    const rules = withRules({ maxShift: 250_000 });
    assert.match(refused(applyChange(seeded, shift(36), rules)), /26 % of service "shop" would move at once.*25 %.*rule safety\.maxShift/);
    made(applyChange(seeded, shift(35), rules));
    const clusters = (eu: number): DirectChange => ({ kind: 'shift_clusters', service: 'shop', percents: { eu } });
    assert.match(refused(applyChange(seeded, clusters(90), rules)), /rule safety\.maxShift/);
    made(applyChange(seeded, clusters(50), rules));
  });

  test('no more than a part of the capacity is out at once, what is down counted with it', () => {
    const rules = withRules({ maxCapacityOut: 0.5 });
    const one = made(applyChange(seeded, drain('eu'), rules));
    assert.match(
      refused(applyChange(one, drain('us'), rules)),
      /66\.6667 % of the capacity.*eu is draining, us is draining.*50 % may be.*rule safety\.maxCapacityOut/,
    );
    const down = withRules({ maxCapacityOut: 0.5 }, { isDown: (cluster) => cluster === 'ap' });
    assert.match(refused(applyChange(seeded, drain('us'), down)), /us is draining, ap is down/);
    made(applyChange(seeded, drain('ap'), down));
    made(applyChange(one, { kind: 'dial', cluster: 'us', percent: 60 }, rules));
    const capacity = { capacityRps: (cluster: string) => (cluster === 'ap' ? 1000 : 100) };
    assert.match(refused(applyChange(seeded, drain('ap'), withRules({ maxCapacityOut: 0.5 }, capacity))), /83\.3333 %/);
    made(applyChange(one, drain('us'), withRules({ maxCapacityOut: 0.5 }, capacity)));
  });

  test('nothing is steered while changes are frozen, and anything is after it', () => {
    const freeze = [{ when: '* 18-23 * * fri', timeZone: 'Europe/Berlin' }];
    const frozen = withRules({ freeze }, { wallMs: FRIDAY_EVENING });
    assert.match(
      refused(applyChange(seeded, shift(20), frozen)),
      /frozen now: "\* 18-23 \* \* fri" in Europe\/Berlin.*rule safety\.freeze/,
    );
    made(applyChange(seeded, { kind: 'release', cluster: 'eu' }, frozen));
    made(applyChange(seeded, shift(20), withRules({ freeze }, { wallMs: FRIDAY_EVENING + 6 * 3_600_000 })));
  });

  test('of a change over a time what a minute brings counts as a step, from where things are now', () => {
    const rules = withRules({ maxShift: 250_000 }, { wallMs: FRIDAY_EVENING });
    const over = (green: number, overMs: number): DirectChange => ({ ...shift(green), overMs }) as DirectChange;
    assert.match(
      refused(applyChange(seeded, over(100, 180_000), rules)),
      /30 % of service "shop" would move within a minute.*safety\.maxShift/,
    );
    const sent = made(applyChange(seeded, over(100, 240_000), rules));
    const soon = { ...rules, wallMs: FRIDAY_EVENING + 80_000 };
    assert.match(refused(applyChange(sent, shift(66), soon)), /26 % of service "shop" would move at once/);
    made(applyChange(sent, shift(65), soon));
    const fast = made(applyChange(seeded, over(100, 60_000), { ...rules, breakGlass: true }));
    made(applyChange(fast, drain('eu'), { ...rules, wallMs: FRIDAY_EVENING + 1000 }));
  });

  test('a change over a time is not on its way into a window', () => {
    const freeze = [{ when: '* 18-23 * * fri', timeZone: 'UTC' }];
    const rules = withRules({ freeze }, { wallMs: Date.parse('2026-01-02T17:50:00.000Z') });
    const over = (overMs: number): DirectChange => ({ kind: 'shift', service: 'shop', percents: { green: 20 }, overMs });
    made(applyChange(seeded, over(9.5 * 60_000), rules));
    assert.match(
      refused(applyChange(seeded, over(10 * 60_000), rules)),
      /would still be on its way when changes are frozen.*safety\.freeze/,
    );
  });

  test('a cluster on its way back counts by what it has yet', () => {
    const rules = withRules({ maxCapacityOut: 0.5, minActiveClusters: 2 }, { wallMs: FRIDAY_EVENING });
    const one = made(applyChange(seeded, drain('eu'), rules));
    const back = made(applyChange(one, { kind: 'admin', cluster: 'eu', state: 'active', overMs: 600_000 }, rules));
    assert.match(refused(applyChange(back, drain('us'), { ...rules, wallMs: FRIDAY_EVENING + 60_000 })), /63\.3333 % of the capacity/);
    made(applyChange(back, drain('us'), { ...rules, wallMs: FRIDAY_EVENING + 600_000 }));
  });

  test('a change that needs a time says for how long, or that it stays', () => {
    const rules = withRules({ requireExpiry: ['drain', 'dial'] });
    const asked = { wallMs: FRIDAY_EVENING, permanent: false };
    assert.match(
      refused(applyTimed(seeded, drain('eu'), rules, asked)),
      /a drain needs a time here: say --for 2h.*rule safety\.requireExpiry/,
    );
    made(applyTimed(seeded, { kind: 'admin', cluster: 'eu', state: 'drain', forMs: 60_000 }, rules, asked));
    made(applyTimed(seeded, drain('eu'), rules, { ...asked, permanent: true }));
    made(applyTimed(seeded, { kind: 'admin', cluster: 'eu', state: 'maintenance' }, rules, asked));
    const broken = applyTimed(seeded, drain('eu'), { ...rules, breakGlass: true }, asked);
    assert.deepEqual(broken.ok && broken.overruled, ['safety.requireExpiry']);
  });

  test('broken glass overrules them and names them, and nothing overrules that something must be left', () => {
    const rules = withRules(
      { maxShift: 100_000, freeze: [{ when: '* * * * *', timeZone: 'UTC' }] },
      { wallMs: FRIDAY_EVENING, breakGlass: true },
    );
    const outcome = applyChange(seeded, shift(80), rules);
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.overruled, ['safety.freeze', 'safety.maxShift']);
    const alone = made(applyChange(made(applyChange(seeded, drain('eu'), rules)), drain('us'), rules));
    assert.match(refused(applyChange(alone, drain('ap'), rules)), /would have no cluster left that takes requests/);
    assert.equal('overruled' in applyChange(seeded, shift(20), withRules({}, { breakGlass: true })), false, 'no rule was in the way');
  });

  test('an undo keeps them, and what goes back by itself does not wait for them', () => {
    const rules = withRules({ maxShift: 100_000, freeze: [{ when: '* * * * *', timeZone: 'UTC' }] }, { wallMs: FRIDAY_EVENING });
    const asked = { wallMs: FRIDAY_EVENING, permanent: false };
    const shifted = made(applyTimed(seeded, { kind: 'shift', service: 'shop', percents: { green: 80 }, forMs: 60_000 }, config, asked));
    const history = { revisions: [], intentAt: () => seeded };
    assert.match(refused(undo(shifted, { to: 1 }, history, rules)), /rule safety\.freeze/);
    assert.deepEqual(made(endOverride(shifted, 2, rules)).services['shop']?.split, seeded.services['shop']?.split);
  });

  test('a rollout waits for them with its steps, goes back without, and cannot begin with a step too far', () => {
    const moment = { at: '2026-01-01T00:00:00.000Z', note: '', usualErrorRatio: 0 };
    const plan = { to: 'green', steps: [200_000, 400_000], holdMs: [0], minRequests: 0, gates: [], onFail: 'rollback' } as const;
    const start = { kind: 'rollout_start', service: 'shop', ...plan } as const;
    assert.match(
      refused(applyRollout(seeded, start, withRules({ maxShift: 150_000 }), moment)),
      /the step from 20 % to 40 % moves more.*safety\.maxShift/,
    );
    const begun = made(applyRollout(seeded, start, config, moment));
    const frozen = withRules({ freeze: [{ when: '* * * * *', timeZone: 'UTC' }] }, { wallMs: FRIDAY_EVENING });
    const act = (action: 'step' | 'fail') => applyRollout(begun, { kind: 'rollout', service: 'shop', action }, frozen, moment);
    assert.match(refused(act('step')), /rule safety\.freeze/);
    assert.deepEqual(made(act('fail')).services['shop']?.split, seeded.services['shop']?.split);
  });
});

function made(outcome: ChangeOutcome): Intent {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

function refused(outcome: ChangeOutcome): string {
  assert.ok(!outcome.ok);
  assert.equal(outcome.refusal.kind, 'unsafe');
  return outcome.refusal.message;
}
