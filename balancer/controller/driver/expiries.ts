// Ends the changes whose time is over. The deadlines are in the intent, so that whichever controller runs then keeps them.
import type { TouchedField } from '../../intent/intent.ts';
import { endOverride, overdue } from '../../intent/timed-change.ts';
import type { Edge } from '../edge.ts';
import { fleetWallMs } from '../fleet/fleet-time.ts';

export class ExpiryDriver {
  readonly #edge: Edge;
  /** Why one could not end, told once. */
  readonly #told = new Map<number, string>();
  #busy = false;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** Once a second. */
  tick(): void {
    this.#endLocal();
    if (!this.#edge.fleet.leads || this.#busy || overdue(this.#edge.keeper.intent, fleetWallMs(this.#edge)).length === 0) return;
    this.#busy = true;
    void this.#run();
  }

  /** Of this host alone, whoever leads. */
  #endLocal(): void {
    const { local, events, loop } = this.#edge;
    for (const { number } of local.overdue(fleetWallMs(this.#edge))) {
      local.end(number, 'its time was over');
      events.add('fleet.local', `LOCAL: the time of local change ${number} is over: the fleet's stands`);
      loop.recompute();
    }
  }

  async #run(): Promise<void> {
    const { changes, options } = this.#edge;
    try {
      await changes.run(() => this.#endAll());
    } catch (error) {
      options.log.error({ problem: String(error) }, 'what was set for a time cannot return');
    } finally {
      this.#busy = false;
    }
  }

  /** Each on its own: one that cannot end holds up no other. */
  async #endAll(): Promise<void> {
    const { keeper } = this.#edge;
    for (const id of overdue(keeper.intent, fleetWallMs(this.#edge))) {
      const problem = await this.#end(id);
      if (problem === null) this.#told.delete(id);
      else if (this.#told.get(id) !== problem) {
        this.#told.set(id, problem);
        this.#edge.events.add('revision.expired', `the time of revision ${id} is over, and it cannot return now: ${problem}`);
      }
    }
  }

  /** Null: done. Else why not. */
  async #end(id: number): Promise<string | null> {
    const { keeper, events, loop, fleet } = this.#edge;
    // The lead may have gone while this waited for its turn; whoever has it then ends it.
    if (!fleet.leads) return null;
    const until = keeper.intent.overrides?.[String(id)]?.until ?? '';
    const outcome = endOverride(keeper.intent, id, this.#edge.facts());
    if (!outcome.ok) return outcome.refusal.message;
    const author = { name: 'expiry', how: `until ${until}, by revision ${id}` };
    const cause = {
      author,
      source: 'expiry' as const,
      reason: 'its time is over',
      change: { kind: 'expire' as const, revision: id },
      undoes: id,
      lease: fleet.lease,
    };
    const committed = await keeper.commit(outcome.intent, outcome.touched, cause);
    if (!committed.ok) return committed.code === 'conflict' ? null : committed.message;
    events.add('revision.made', `revision ${outcome.intent.revision}: ${outcome.summary}`);
    loop.recompute();
    return null;
  }
}

/** Tells of deadlines that ended because somebody changed what they hold. */
export function tellEndedOverrides(edge: Edge, touched: readonly TouchedField[], revision: number): void {
  for (const { path, after } of touched) {
    const [part, id] = path;
    if (part !== 'overrides' || after !== null) continue;
    edge.events.add(
      'revision.expired',
      `revision ${id ?? ''} does not return by itself any more: revision ${revision} changed what it holds`,
    );
  }
}
