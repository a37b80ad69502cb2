// Shares while a change is on its way: the plan follows it second by second, damping holds back what is not the operator's, and a recorded day comes out again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MILLION } from '../../../balancer/config/config.ts';
import type { TimedChange } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed } from '../../../balancer/intent/timed-change.ts';
import { plan, type PlanFacts, type PlanInput, type Planned } from '../../../balancer/steer/plan.ts';
import { DecisionDecoder, DecisionEncoder, DECISIONS_HEADER } from '../../../balancer/steer/replay/decision-lines.ts';
import { Replay } from '../../../balancer/steer/replay/replay.ts';
import { fleetConfig, healthView, type FleetSketch } from '../../support/fleet-config.ts';

const NOON = Date.parse('2026-01-01T12:00:00.000Z');
const TWO: FleetSketch = {
  services: { shop: { versions: { blue: { eu: 1, us: 1 }, green: { us: 1 } }, split: { blue: 90, green: 10 } } },
};

/** A plan each second, by both clocks. */
class Story {
  readonly inputs: PlanInput[] = [];
  readonly #config: ReturnType<typeof fleetConfig>;
  #facts: PlanFacts;
  #planned: Planned | null = null;
  #second = 0;

  constructor(sketch: FleetSketch, facts: Partial<PlanFacts> = {}) {
    this.#config = fleetConfig(sketch);
    const health = healthView(Object.fromEntries(Object.keys(this.#config.clusters).map((name) => [name, 'up'])));
    this.#facts = { ...this.#config, intent: seedIntent(this.#config, null).intent, health, capacity: {}, demand: {}, ...facts };
    this.for(1);
  }

  for(seconds: number, facts: Partial<PlanFacts> = {}): this {
    this.#facts = { ...this.#facts, ...facts };
    for (let second = 0; second < seconds; second += 1) {
      this.#second += 1;
      const input = {
        ...this.#facts,
        previous: this.#planned?.memory ?? null,
        nowMs: this.#second * 1000,
        wallMs: this.#wallMs,
      };
      this.inputs.push(input);
      this.#planned = plan(input);
    }
    return this;
  }

  change(change: TimedChange): this {
    const outcome = applyTimed(this.#facts.intent, change, this.#config, { wallMs: this.#wallMs, permanent: false });
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
    this.#facts = { ...this.#facts, intent: outcome.intent };
    return this;
  }

  get #wallMs(): number {
    return NOON + this.#second * 1000;
  }

  get planned(): Planned {
    assert.ok(this.#planned !== null);
    return this.#planned;
  }

  share(place: string): number {
    return this.#target(place)?.effective ?? -1;
  }

  reasons(place: string): readonly string[] {
    return this.#target(place)?.reasons ?? [];
  }

  #target(place: string): Planned['plan']['services'][string]['targets'][number] | undefined {
    return this.planned.plan.services['shop']?.targets.find(({ version, cluster }) => `${version}@${cluster}` === place);
  }
}

describe('a shift over a time', () => {
  test('moves the shares by the same part each second, says so, and is done at its end', () => {
    const story = new Story(TWO).change({ kind: 'shift', service: 'shop', percents: { green: 50 }, overMs: 400_000 });
    for (let second = 1; second < 400; second += 1) assert.equal(story.for(1).share('green@us'), 100_000 + second * 1000);
    assert.deepEqual(story.reasons('green@us'), ['gliding']);
    assert.deepEqual([story.for(1).share('green@us'), story.for(1).reasons('green@us')], [500_000, ['intent']]);
  });

  test('never stands still for being slow, also where a cluster is full and trifles are not made', () => {
    const sketch = { ...TWO, clusters: { us: { capacity: { rps: 500, learn: false } }, eu: { capacity: { rps: 1000, learn: false } } } };
    // Blue has more in us by intent than fits there.
    const story = new Story(sketch, { demand: { shop: 1200 } }).for(30);
    story.change({ kind: 'shift', service: 'shop', percents: { green: 12 }, overMs: 100_000 });
    const seen = [0, 25, 25, 25, 25, 1].map((seconds) => story.for(seconds).share('green@us') + story.share('blue@us'));
    const [full] = seen;
    for (const share of seen) assert.ok(Math.abs(share - (full ?? 0)) <= 1, `${share}: what us can take, and all of it`);
    story.for(30);
    assert.equal(story.planned.plan.services['shop']?.lost, 0);
    const green = story.share('green@us');
    const whole = new Story(
      { ...sketch, services: { shop: { ...sketch.services['shop'], split: { blue: 88, green: 12 } } } } as FleetSketch,
      {
        demand: { shop: 1200 },
      },
    );
    assert.ok(Math.abs(green - whole.share('green@us')) <= 1, `${green} is what a config with this split gives`);
  });

  test('does not make hours without damping: what is not of the operator rises a point a second', () => {
    const story = new Story(TWO).change({ kind: 'shift', service: 'shop', percents: { green: 50 }, overMs: 10_000_000 }).for(5);
    const down = healthView({ eu: 'down', us: 'up' });
    assert.equal(story.for(5, { health: down }).share('blue@eu'), 0, 'down at once');
    const up = healthView({ eu: 'up', us: 'up' });
    const seen: number[] = [story.share('blue@eu')];
    for (let second = 0; second < 30; second += 1) seen.push(story.for(1, { health: up }).share('blue@eu'));
    for (const [index, share] of seen.entries())
      assert.ok(share - (seen[index - 1] ?? share) <= 10_000 + 1, `${seen[index - 1]} → ${share}`);
    story.for(120);
    assert.equal(story.share('blue@eu'), Math.round((MILLION - story.share('green@us')) / 2));
  });

  test('of a dial moves the cluster in every service, and is damped by nothing', () => {
    const story = new Story(TWO).change({ kind: 'dial', cluster: 'eu', percent: 0, overMs: 20_000 });
    story.for(10);
    assert.equal(story.share('blue@eu'), 300_000, 'half of a weight beside a whole one');
    assert.deepEqual(story.reasons('blue@eu').slice(0, 2), ['dial', 'gliding']);
    story.for(10);
    assert.equal(story.share('blue@eu'), 0);
  });
});

test('a recorded glide comes out again from its record, which says the intent once', () => {
  const story = new Story(TWO).change({ kind: 'shift', service: 'shop', percents: { green: 50 }, overMs: 10_000 }).for(12);
  const encoder = new DecisionEncoder();
  const lines = story.inputs.map((input) => encoder.encode(input, plan(input), new Date(input.wallMs ?? 0).toISOString())).join('');
  assert.equal(lines.match(/"glides"/g)?.length, 1);
  const decoder = new DecisionDecoder();
  decoder.header(DECISIONS_HEADER);
  const replay = new Replay(null);
  for (const line of lines.trimEnd().split('\n')) {
    const decision = decoder.line(line, replay.memory);
    if (decision !== null) assert.equal(replay.add(decision), null);
  }
  assert.deepEqual([replay.summary().decisions, replay.summary().mismatches], [13, 0]);
});
