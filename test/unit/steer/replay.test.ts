// Recorded decisions made again: the lines give the very inputs back, so the plan is the very same; another config is held against it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan, type PlanFacts, type PlanMemory } from '../../../balancer/steer/plan.ts';
import { targetKey, type HealthState } from '../../../balancer/steer/plan-shape.ts';
import {
  DECISIONS_HEADER,
  DecisionDecoder,
  DecisionEncoder,
  UnreadableDecisions,
  type Decision,
} from '../../../balancer/steer/replay/decision-lines.ts';
import { Replay, replayText, type ReplayConfig } from '../../../balancer/steer/replay/replay.ts';
import { fleetConfig, healthView } from '../../support/fleet-config.ts';

const FLEET = {
  services: {
    shop: { versions: { blue: { one: 50, two: 50 }, green: { two: 1 } }, split: { blue: 80, green: 20 } },
    mail: { versions: { v1: { one: 1, two: 1 } }, policy: 'weighted' as const },
  },
  clusters: { one: { capacity: { rps: 100, learn: false } }, two: { capacity: { rps: 100, learn: false } } },
};
const config = fleetConfig(FLEET);
const PLACES = { hostRegion: null, regions: {}, clientRegions: {} };
const START = Date.parse('2026-01-01T00:00:00.000Z');

/** One second of a fleet. */
interface Second {
  readonly one: HealthState;
  readonly two: HealthState;
  readonly rps: number;
  readonly errors: number;
  readonly dial: number;
}

/** The lines of a log, a new file every `every` decisions, and the plans as JSON. */
function record(seconds: readonly Second[], every = Infinity): { readonly files: readonly string[]; readonly plans: readonly string[] } {
  const encoder = new DecisionEncoder();
  const files: string[] = [];
  const plans: string[] = [];
  let intent = seedIntent(config, null).intent;
  let previous: PlanMemory | null = null;
  for (const [index, { one, two, rps, errors, dial }] of seconds.entries()) {
    if (index === 0 || index % every === 0) {
      encoder.begin();
      files.push(`${DECISIONS_HEADER}\n`);
    }
    const changed = applyChange(intent, { kind: 'dial', cluster: 'one', percent: dial }, config);
    if (changed.ok) intent = changed.intent;
    const facts: PlanFacts = {
      ...config,
      ...{ intent, health: healthView({ one, two }), capacity: {}, demand: { shop: rps, mail: 10 }, classDemand: {} },
      observed: { clusters: {}, targets: { [targetKey('shop', 'blue', 'one')]: { requests: 100, errorRatio: errors } } },
      ...{ hostRegion: null, regions: PLACES.regions, clientRegions: [], regionDemand: {} },
    };
    const input = { ...facts, previous, nowMs: index * 1000 };
    const planned = plan(input);
    previous = planned.memory;
    plans.push(JSON.stringify(planned.plan));
    const lines = encoder.encode(input, planned, new Date(START + index * 1000).toISOString());
    files.push(`${files.pop() ?? ''}${lines}`);
  }
  return { files, plans };
}

function decisionsOf(files: readonly string[], replay: Replay): readonly Decision[] {
  const decoder = new DecisionDecoder();
  const decisions: Decision[] = [];
  for (const file of files) {
    for (const [index, line] of file.trimEnd().split('\n').entries()) {
      const decision = index === 0 ? decoder.header(line) : decoder.line(line, replay.memory);
      if (decision === null) continue;
      decisions.push(decision);
      assert.equal(replay.add(decision), null);
    }
  }
  return decisions;
}

const calm: Second = { one: 'up', two: 'up', rps: 60, errors: 0, dial: 100 };

test('whatever happened, each plan comes out again bit for bit, over as many files as it was in', () => {
  const state = fastCheck.constantFrom<HealthState>('up', 'down', 'degraded', 'unknown');
  const second = fastCheck.record({
    ...{ one: state, two: state },
    rps: fastCheck.constantFrom(0, 60, 120, 333.3333),
    errors: fastCheck.constantFrom(0, 0.07, 0.5),
    dial: fastCheck.constantFrom(100, 30, 0),
  });
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(second, { minLength: 1, maxLength: 25 }),
      fastCheck.integer({ min: 1, max: 9 }),
      (seconds, every) => {
        const { files, plans } = record(seconds, every);
        const replay = new Replay(null);
        const again = decisionsOf(files, replay).map(({ input }) => JSON.stringify(plan(input).plan));
        assert.deepEqual(again, plans);
        assert.equal(replay.summary().mismatches, 0);
        const alone = new Replay(null);
        decisionsOf(files.slice(-1), alone);
        assert.equal(alone.summary().mismatches, 0, 'the newest file needs none of the others');
      },
    ),
    { numRuns: 60 },
  );
});

test('what did not change is not written again', () => {
  const [file = ''] = record(Array.from({ length: 100 }, () => calm)).files;
  assert.equal(file.split('"health":{"clusters"').length, 2);
  assert.ok(file.length < 30_000, `${file.length} bytes`);
});

test('a decision that would be made otherwise now is told, with its time', () => {
  const [file = ''] = record([calm, { ...calm, one: 'down' }, calm]).files;
  const replay = new Replay(null);
  decisionsOf([file.replace('"shop":60,"mail":10', '"shop":500,"mail":10')], replay);
  const { decisions, mismatches, firstMismatchAt } = replay.summary();
  assert.deepEqual([decisions, mismatches, firstMismatchAt], [3, 3, '2026-01-01T00:00:00.000Z']);
});

test('another config is held against the recorded one: shares, what finds no place, changes, load', () => {
  const seconds = Array.from({ length: 60 }, (_, index): Second => ({ ...calm, one: index >= 20 && index < 40 ? 'down' : 'up' }));
  const shop = { ...FLEET.services.shop, onUnavailable: 'fail' as const };
  const other: ReplayConfig = { ...fleetConfig({ ...FLEET, services: { ...FLEET.services, shop } }), ...PLACES };
  const replay = new Replay(other);
  decisionsOf(record(seconds).files, replay);
  const summary = replay.summary();
  assert.equal(summary.mismatches, 0);
  const [first] = summary.services;
  assert.ok(first !== undefined && first.service === 'shop');
  assert.ok(first.movedMost > 0.3, `${first.movedMost}`);
  assert.ok(first.other.lost > first.recorded.lost + 400, JSON.stringify(first));
  assert.ok(first.movedMean > 0.05 && first.movedMean < first.movedMost);
  assert.deepEqual(
    first.minutes.map(({ at }) => at),
    ['2026-01-01T00:00:00Z'],
  );
  const two = summary.clusters.find(({ cluster }) => cluster === 'two');
  assert.ok((two?.recorded.mostUsed ?? 0) > (two?.other.mostUsed ?? 0));
  assert.match(replayText(summary), /60 decisions from .*\nall of them come out as they were recorded\nservice shop: /);

  const same = new Replay({ ...config, ...PLACES });
  decisionsOf(record(seconds).files, same);
  assert.deepEqual(
    same.summary().services.map(({ movedMost }) => movedMost),
    [0, 0],
  );
});

test('a config without a service that has requests cannot be held against it', () => {
  const { shop } = FLEET.services;
  const replay = new Replay({ ...fleetConfig({ ...FLEET, services: { shop } }), ...PLACES });
  const decoder = new DecisionDecoder();
  const [header = '', base = '', step = ''] = (record([calm]).files[0] ?? '').split('\n');
  decoder.header(header);
  decoder.line(base, null);
  const decision = decoder.line(step, null);
  assert.ok(decision !== null);
  assert.match(replay.add(decision) ?? '', /^revision 1: services\.mail: the service left the file together with the route/);
});

test('lines that are no decisions are refused with what is wrong with them', () => {
  const refuses = (act: (decoder: DecisionDecoder) => unknown, message: RegExp): void => {
    assert.throws(
      () => act(new DecisionDecoder()),
      (error) => error instanceof UnreadableDecisions && message.test(error.message),
    );
  };
  refuses((decoder) => decoder.header('{}'), /no log of decisions/);
  refuses((decoder) => decoder.header('{"weir":"decisions","version":2}'), /version 2, this weir reads version 1/);
  refuses((decoder) => decoder.line('nonsense', null), /no JSON/);
  refuses((decoder) => decoder.line('{"type":"step"}', null), /neither the base/);
});
