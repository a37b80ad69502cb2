// Undo: exact in intent, a revision of its own, and never over somebody else's later change.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { Change as AnyChange, Intent, Revision, RevisionSource } from '../../../balancer/intent/intent.ts';
import { chainRevision } from '../../../balancer/intent/revision.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { redo, undo, type History, type UndoOutcome } from '../../../balancer/intent/undo.ts';
import { fleetConfig, type FleetSketch, type ServiceSketch } from '../../support/fleet-config.ts';

type Change = DirectChange | Extract<AnyChange, { kind: 'undo' }>;

const SHOP: ServiceSketch = { versions: { blue: { eu: 70, us: 30 }, green: { eu: 1, us: 1 } }, split: { blue: 90, green: 10 } };
const FLEET: FleetSketch = { services: { shop: SHOP } };
const shift = (percents: Readonly<Record<string, number>>): Change => ({ kind: 'shift', service: 'shop', percents });

/** Revisions with the intents they made, as a store keeps them. */
class Journal {
  #config: ReturnType<typeof fleetConfig>;
  readonly #made: { readonly revision: Revision; readonly intent: Intent }[] = [];

  constructor(sketch: FleetSketch = FLEET) {
    this.#config = fleetConfig(sketch);
    this.load(sketch);
  }

  get intent(): Intent {
    const last = this.#made.at(-1);
    assert.ok(last !== undefined);
    return last.intent;
  }

  load(sketch: FleetSketch): void {
    this.#config = fleetConfig(sketch);
    const { intent, touched, problems } = seedIntent(this.#config, this.#made.at(-1)?.intent ?? null);
    assert.deepEqual(problems, []);
    if (touched.length > 0) this.#write(intent, { touched, source: 'config', change: null, undoes: null });
  }

  change(change: Change): void {
    const outcome = change.kind === 'undo' ? this.try(change.to) : applyChange(this.intent, change, this.#config);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
    const undoes = 'undoes' in outcome && typeof outcome.undoes === 'number' ? outcome.undoes : null;
    if (outcome.touched.length > 0) this.#write(outcome.intent, { touched: outcome.touched, source: 'operator', change, undoes });
  }

  try(to: number | null = null): UndoOutcome {
    return undo(this.intent, { to }, this.#history(), this.#config);
  }

  redo(): UndoOutcome {
    return redo(this.intent, this.#history(), this.#config);
  }

  #history(): History {
    const intentAt = (revision: number) => this.#made.find(({ intent }) => intent.revision === revision)?.intent ?? null;
    return { revisions: this.#made.map(({ revision }) => revision).reverse(), intentAt };
  }

  #write(intent: Intent, facts: Pick<Revision, 'touched' | 'change' | 'undoes'> & { readonly source: RevisionSource }): void {
    const author = { name: facts.source === 'config' ? 'file' : 'alice', how: 'test' };
    const record = { ...facts, revision: intent.revision, at: '2026-01-01T00:00:00.000Z', author, reason: '' };
    this.#made.push({ intent, revision: chainRevision(record, this.#made.at(-1)?.revision ?? null) });
  }
}

/** All that an intent says, without its number. */
function content({ services, clusters }: Intent): unknown {
  return { services, clusters };
}

function refusal(outcome: UndoOutcome): { readonly kind: string; readonly message: string } {
  assert.ok(!outcome.ok);
  return outcome.refusal;
}

const changes: fastCheck.Arbitrary<Change> = fastCheck.oneof(
  fastCheck.integer({ min: 0, max: 1_000_000 }).map((part) => shift({ blue: part / 10_000, green: (1_000_000 - part) / 10_000 })),
  fastCheck.integer({ min: 1, max: 99 }).map((percent): Change => ({ kind: 'shift_clusters', service: 'shop', percents: { eu: percent } })),
  fastCheck
    .constantFrom('active' as const, 'drain' as const, 'maintenance' as const)
    .map((state): Change => ({ kind: 'admin', cluster: 'eu', state })),
  fastCheck.integer({ min: 1, max: 100 }).map((percent): Change => ({ kind: 'dial', cluster: 'us', percent })),
);

test('undo of any change gives the intent before it, as a new revision that names what it undoes', () => {
  fastCheck.assert(
    fastCheck.property(fastCheck.array(changes, { maxLength: 4 }), changes, (earlier, change) => {
      const journal = new Journal();
      for (const each of earlier) journal.change(each);
      const before = journal.intent;
      journal.change(change);
      fastCheck.pre(journal.intent !== before);
      const undone = journal.try();
      assert.ok(undone.ok);
      assert.deepEqual(content(undone.intent), content(before));
      assert.equal(undone.intent.revision, journal.intent.revision + 1);
      assert.equal(undone.undoes, journal.intent.revision);
    }),
    { seed: 42, numRuns: 200 },
  );
});

test('undo to a revision gives exactly what was asked then, whatever came after', () => {
  fastCheck.assert(
    fastCheck.property(fastCheck.array(changes, { minLength: 1, maxLength: 6 }), fastCheck.nat(), (list, pick) => {
      const journal = new Journal();
      const intents = [journal.intent];
      for (const each of list) {
        journal.change(each);
        if (journal.intent !== intents.at(-1)) intents.push(journal.intent);
      }
      const then = intents[pick % intents.length];
      assert.ok(then !== undefined);
      const undone = journal.try(then.revision);
      assert.ok(undone.ok, undone.ok ? '' : undone.refusal.message);
      assert.deepEqual(content(undone.intent), content(then));
    }),
    { seed: 42, numRuns: 200 },
  );
});

describe('undo', () => {
  test('of an undo brings the change back', () => {
    const journal = new Journal();
    journal.change(shift({ green: 50 }));
    const shifted = journal.intent;
    journal.change({ kind: 'undo', to: null });
    journal.change({ kind: 'undo', to: null });
    assert.deepEqual(content(journal.intent), content(shifted));
    assert.equal(journal.intent.revision, 4);
  });

  test('can be redone, once, and nothing else can', () => {
    const journal = new Journal();
    journal.change(shift({ green: 50 }));
    const shifted = journal.intent;
    assert.match(refusal(journal.redo()).message, /nothing to redo: .*revision 2, was no undo/);
    journal.change({ kind: 'undo', to: null });
    const outcome = journal.redo();
    assert.ok(outcome.ok);
    assert.deepEqual([content(outcome.intent), outcome.undoes], [content(shifted), 3]);
  });

  test('goes past what the config changed elsewhere', () => {
    const journal = new Journal();
    journal.change(shift({ green: 50 }));
    journal.load({ ...FLEET, clusters: { asia: {} } });
    journal.change({ kind: 'undo', to: null });
    assert.deepEqual(journal.intent.services['shop']?.split, { blue: 900_000, green: 100_000 });
    assert.deepEqual(journal.intent.clusters['asia'], { admin: 'active', dialPercent: 100 });
  });

  test('is no conflict with a version that the config added at 0', () => {
    const journal = new Journal();
    journal.change(shift({ green: 50 }));
    journal.load({ services: { shop: { ...SHOP, versions: { ...SHOP.versions, red: { eu: 1 } } } } });
    journal.change({ kind: 'undo', to: null });
    assert.deepEqual(journal.intent.services['shop']?.split, { blue: 900_000, green: 100_000, red: 0 });
  });

  test('stops where a later revision changed the same, and names it', () => {
    const journal = new Journal();
    journal.change(shift({ green: 50 }));
    journal.load({ services: { shop: { ...SHOP, split: { blue: 70, green: 30 } } } });
    const { kind, message } = refusal(journal.try());
    assert.equal(kind, 'conflict');
    assert.match(message, /revision 2 cannot be taken back alone.*revision 3 by file changed services\.shop\.split.*weir undo --to 1/);
    const back = journal.try(1);
    assert.ok(back.ok);
    assert.deepEqual(back.intent.services['shop']?.split, { blue: 900_000, green: 100_000 });
    assert.deepEqual(back.intent.services['shop'].splitSeed, { blue: 700_000, green: 300_000 }, 'what the file says now stays remembered');
  });

  test('says so when there is nothing to undo, or no such revision', () => {
    assert.equal(refusal(new Journal().try()).kind, 'not_found');
    assert.match(refusal(new Journal().try(7)).message, /there is no revision 7; the newest is 1/);
  });

  test('goes past a release, which cannot be taken back, and keeps it', () => {
    const journal = new Journal();
    journal.change(shift({ green: 50 }));
    journal.change({ kind: 'release', cluster: 'eu' });
    journal.change({ kind: 'undo', to: null });
    assert.deepEqual(journal.intent.services['shop']?.split, { blue: 900_000, green: 100_000 });
    assert.equal(journal.intent.clusters['eu']?.releases, 1);
  });

  test('goes through the safety rules', () => {
    const apart = (split: Readonly<Record<string, number>>): FleetSketch => ({
      services: { shop: { versions: { blue: { eu: 1 }, green: { us: 1 } }, split } },
    });
    const journal = new Journal(apart({ blue: 1 }));
    journal.change({ kind: 'admin', cluster: 'us', state: 'drain' });
    journal.change({ kind: 'admin', cluster: 'us', state: 'active' });
    journal.load(apart({ green: 1 }));
    const { kind, message } = refusal(journal.try());
    assert.equal(kind, 'unsafe');
    assert.match(message, /service "shop" would have no cluster left.*us is draining/);
  });

  test('does not bring back a share of what left the config', () => {
    const journal = new Journal();
    journal.change(shift({ green: 0 }));
    journal.load({ services: { shop: { versions: { blue: { eu: 70, us: 30 } } } } });
    const { kind, message } = refusal(journal.try(1));
    assert.equal(kind, 'conflict');
    assert.match(message, /version "green" of service "shop" had 10 % then.*weir config apply/);
  });
});
