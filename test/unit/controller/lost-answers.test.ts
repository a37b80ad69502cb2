// A change whose answer was lost on the way from the ledger: it is told of as it stands in the chain, whatever others have made of it meanwhile, and the host
// that asked for it goes back to nothing.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { follow } from '../../../balancer/controller/fleet/follow.ts';
import { IntentKeeper, type Cause, type CommitOutcome } from '../../../balancer/controller/intent-keeper.ts';
import { AloneLedger } from '../../../balancer/store/alone-ledger.ts';
import { LedgerAwayError, type Append, type AppendResult, type Ledger } from '../../../balancer/store/ledger.ts';
import { openSqliteStore } from '../../../balancer/store/sqlite.ts';
import type { Store } from '../../../balancer/store/store.ts';
import { faultyLedger } from '../../support/faulty-ledger.ts';
import { nextOf } from '../../support/ledger-chain.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Host {
  readonly keeper: IntentKeeper;
  readonly follow: () => Promise<void>;
  /** Makes the next revision. */
  readonly change: (author: string) => Promise<CommitOutcome>;
}

type Ask = (append: () => Promise<AppendResult>) => Promise<AppendResult>;

function openStore(t: TestContext): Store {
  const directory = mkdtempSync(join(tmpdir(), 'weir-answers-'));
  const store = openSqliteStore(directory);
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return store;
}

/** Two hosts of one ledger; what the first one appends goes through `ask`. */
function twoHosts(t: TestContext, ask: Ask): { readonly clock: ManualClock; readonly one: Host; readonly two: Host } {
  const clock = new ManualClock();
  const ledger = new AloneLedger(openStore(t), clock);
  const host = (reached: Ledger): Host => {
    const store = openStore(t);
    const keeper = new IntentKeeper(store, reached, clock);
    const change = (author: string): Promise<CommitOutcome> => {
      const [newest] = store.revisions(1);
      const before = newest === undefined ? null : { record: newest, intent: keeper.intent };
      const { record, intent } = nextOf(before, author);
      const { source, reason, change: asked, undoes, touched } = record;
      const cause: Cause = { author: record.author, source, reason, change: asked, undoes };
      return keeper.commit(intent, touched, cause);
    };
    return {
      keeper,
      change,
      follow: async () => {
        await follow({ keeper, ledger: reached, store }, await reached.head());
      },
    };
  };
  const faulty = faultyLedger(ledger, { cut: false, lost: 0 }, () => 0.5);
  const first: Ledger = { ...faulty, append: (change: Append) => ask(() => faulty.append(change)) };
  return { clock, one: host(first), two: host(ledger) };
}

const lost = (): never => {
  throw new LedgerAwayError('the answer was lost', true);
};

test('a change that was stored, and that another one stands on by now, is acknowledged', async (t) => {
  let asked = 0;
  const { clock, one, two } = twoHosts(t, async (append) => {
    asked += 1;
    const result = await append();
    if (asked > 1) return result;
    await two.follow();
    assert.deepEqual(await two.change('bob'), { ok: true });
    return lost();
  });
  const made = one.change('alice');
  await clock.elapse(1000);
  assert.deepEqual(await made, { ok: true });
  assert.equal(asked, 2);
  await one.follow();
  assert.deepEqual([one.keeper.intent.revision, one.keeper.head], [2, two.keeper.head]);
});

test('a change that another one came before is refused, although its answer was lost as well', async (t) => {
  let asked = 0;
  const { clock, one, two } = twoHosts(t, async (append) => {
    asked += 1;
    if (asked > 1) return append();
    assert.deepEqual(await two.change('bob'), { ok: true });
    await append();
    return lost();
  });
  const made = one.change('alice');
  await clock.elapse(1000);
  assert.deepEqual(await made, { ok: false, code: 'conflict', message: 'the fleet is at revision 1' });
});

test('that a change may be stored is said, though only the first of its answers was lost', async (t) => {
  let asked = 0;
  const { clock, one } = twoHosts(t, async (append) => {
    asked += 1;
    if (asked > 1) throw new LedgerAwayError('not connected', false);
    await append();
    return lost();
  });
  const made = one.change('alice');
  await clock.elapse(5000);
  const outcome = await made;
  assert.ok(!outcome.ok);
  assert.match(outcome.message, /not connected.*whether the change was stored is not known/);
});

test('a host that has followed others from its own change on does not go back to it when the answer comes', async (t) => {
  const { one, two } = twoHosts(t, async (append) => {
    const result = await append();
    // Both answers come in one go, and that to who follows is read first.
    await two.follow();
    assert.deepEqual(await two.change('bob'), { ok: true });
    await one.follow();
    assert.equal(one.keeper.intent.revision, 2);
    return result;
  });
  assert.deepEqual(await one.change('alice'), { ok: true });
  assert.deepEqual([one.keeper.intent.revision, one.keeper.head], [2, two.keeper.head]);
});
