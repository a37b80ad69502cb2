// Tells agents what changes will bring, where the config asks for it: shifts, dials, undos, steps of rollouts, drills, ends of timed changes, and the loss
// of a cluster. Every host with a hub does so from the intent that all have, under the same names: an agent that several tell counts it once, and no
// host has to lead for it. What is known beforehand is told beforehand; what is taken back, or does not come, is not expected any more.
import type { Intent } from '../../intent/intent.ts';
import type { HealthView, Plan } from '../../steer/plan-shape.ts';
import type { PlanMemory } from '../../steer/plan.ts';
import type { Edge } from '../edge.ts';
import { coming, type Coming } from '../hub/coming.ts';
import { loadsOf, rises, toldRps, type Rise } from '../hub/rises.ts';
import { wishId, type ForeseenExpectation, type WishList } from '../hub/wish-list.ts';

/** What decides where traffic goes, but for demand and the figures of agents. */
interface Basis {
  readonly key: string;
  readonly intent: Intent;
  readonly health: HealthView;
  readonly memory: PlanMemory;
  /** Clusters that get nothing for their health. */
  readonly out: readonly string[];
}

interface Cause {
  readonly id: string;
  readonly text: string;
  readonly atMs: number;
  /** Of what is still to come. */
  readonly due?: string;
}

/** Between two looks at what is to come: far below the time that pods take. */
const LOOK_MS = 5000;
/** A hundred rollouts that bring nothing here are not a hundred plans each time. */
const EMPTY_MS = 30_000;
/** What is expected counts as there when so much of it is. */
const NEARLY = 0.9;

export class PrescaleDriver {
  readonly #edge: Edge;
  readonly #wishes: WishList;
  #basis: Basis | null = null;
  #lookAtMs = 0;
  /** What each thing that is to come brings, on the present basis, and when that was worked out. */
  readonly #previews = new Map<string, { readonly found: readonly Rise[]; readonly atMs: number }>();
  /** What was told of what is to come, with its end: once each, also when an operator has taken it back. */
  readonly #told = new Map<string, number>();

  constructor(edge: Edge, wishes: WishList) {
    this.#edge = edge;
    this.#wishes = wishes;
  }

  /** Once a second. A store that takes nothing for a while must not end what steers. */
  tick(): void {
    try {
      this.#look();
    } catch (error) {
      this.#edge.options.log.error(
        { problem: error instanceof Error ? error.message : String(error) },
        'agents cannot be told what changes bring',
      );
    }
  }

  #look(): void {
    const aheadMs = this.#aheadMs();
    if (aheadMs === null) {
      this.#basis = null;
      for (const one of this.#wishes.foreseen()) this.#drop(one, 'the config does not ask for it any more');
      return;
    }
    const now = basisOf(this.#edge);
    const before = this.#basis;
    const { clock } = this.#edge.options;
    const moved = before !== null && before.key !== now.key;
    if (before === null || moved) this.#previews.clear();
    this.#basis = now;
    if (!moved && clock.nowMs() < this.#lookAtMs) return;
    this.#lookAtMs = clock.nowMs() + LOOK_MS;
    const ahead = coming(this.#edge, aheadMs);
    if (moved) this.#happened(before, now, new Set(ahead.map(({ due }) => due)));
    this.#foresee(ahead);
  }

  /** What a change of the intent would have agents told, if it were made now. */
  ifChangedTo(intent: Intent): readonly (Rise & { readonly rps: number })[] {
    if (this.#aheadMs() === null) return [];
    return this.#toldOf(this.#rises(basisOf(this.#edge), intent));
  }

  /** The longest of all clusters; null: none asks for it, or there is nobody to tell. */
  #aheadMs(): number | null {
    const { agents, config } = this.#edge;
    if (agents.hub === null) return null;
    const all = Object.values(config.clusters).flatMap(({ agent }) => agent.prescale?.aheadMs ?? []);
    return all.length === 0 ? null : Math.max(...all);
  }

  #rises(basis: Basis, after: Intent): readonly Rise[] {
    return rises(this.#settled(basis), this.#settled({ ...basis, intent: after }), this.#edge.demand());
  }

  /** Where shares come to on a basis, under the demand of now. */
  #settled({ intent, health, memory }: Basis): Plan {
    const { loop } = this.#edge;
    return loop.settled({ ...this.#edge.planFacts(intent), health }, memory).plan;
  }

  #toldOf(all: readonly Rise[]): readonly (Rise & { readonly rps: number })[] {
    return all.flatMap((rise) => {
      const rps = toldRps(rise, this.#edge.config.clusters[rise.cluster]);
      return rps === null ? [] : [{ ...rise, rps }];
    });
  }

  #happened(before: Basis, now: Basis, ahead: ReadonlySet<string>): void {
    const [was, is] = [this.#settled(before), this.#settled(now)];
    const demand = this.#edge.demand();
    const cause = this.#causeOf(before, now);
    for (const one of this.#wishes.foreseen()) {
      if (one.due !== undefined && ahead.has(one.due)) continue;
      const [had, has] = [was, is].map((plan) => loadsOf(plan, one.service, demand).get(one.cluster) ?? 0);
      if ((has ?? 0) < one.rps * NEARLY && (has ?? 0) < (had ?? 0)) this.#drop(one, cause.text);
    }
    for (const rise of this.#toldOf(rises(was, is, demand))) this.#expect(rise, cause);
  }

  #causeOf(before: Basis, now: Basis): Cause {
    const { keeper, options } = this.#edge;
    const atMs = options.clock.wallMs();
    const { revision } = now.intent;
    if (revision !== before.intent.revision) {
      const by = keeper.newest?.author.name;
      return { id: `r${revision}`, text: `revision ${revision}${by === undefined ? '' : ` by ${by}`}`, atMs };
    }
    const gone = now.out.filter((name) => !before.out.includes(name));
    const back = before.out.filter((name) => !now.out.includes(name));
    const text = [...gone.map((name) => `${name} is out`), ...back.map((name) => `${name} is back`)].join(', ');
    return { id: `o${revision}.${now.out.join('.')}`, text, atMs };
  }

  #foresee(ahead: readonly Coming[]): void {
    const nowMs = this.#edge.options.clock.wallMs();
    for (const [id, endsAtMs] of this.#told) if (endsAtMs <= nowMs) this.#told.delete(id);
    const dues = new Set(ahead.map(({ due }) => due));
    for (const one of this.#wishes.foreseen())
      if (one.due !== undefined && !dues.has(one.due)) this.#drop(one, `${one.cause} does not come now`);
    for (const { due, cause, atMs, intent } of ahead)
      for (const rise of this.#toldOf(this.#previewOf(due, intent))) {
        const { aheadMs = 0 } = this.#edge.config.clusters[rise.cluster]?.agent.prescale ?? {};
        if (atMs - aheadMs <= nowMs) this.#expect(rise, { id: due, text: cause, atMs, due });
      }
  }

  /** Worked out once; what cannot come, or brings nothing, may do so with other figures a while later. */
  #previewOf(due: string, intent: () => Intent | null): readonly Rise[] {
    const nowMs = this.#edge.options.clock.nowMs();
    const known = this.#previews.get(due);
    if (known !== undefined && (known.found.length > 0 || nowMs < known.atMs + EMPTY_MS)) return known.found;
    const after = intent();
    const found = after === null || this.#basis === null ? [] : this.#rises(this.#basis, after);
    this.#previews.set(due, { found, atMs: nowMs });
    return found;
  }

  #expect({ cluster, service, rps }: Rise & { readonly rps: number }, { id: cause, text, atMs, due }: Cause): void {
    const { config, options } = this.#edge;
    const nowMs = options.clock.wallMs();
    const { forMs = 0 } = config.clusters[cluster]?.agent.prescale ?? {};
    const endsAtMs = atMs + forMs;
    const id = wishId(cause, service);
    const key = `${cluster} ${id}`;
    if (endsAtMs <= nowMs || (due !== undefined && this.#told.has(key))) return;
    const known = this.#wishes.foreseen().find((one) => one.cluster === cluster && one.service === service);
    if (known !== undefined && known.rps >= rps * NEARLY && known.endsAtMs >= Math.min(endsAtMs, nowMs + forMs / 2)) {
      // What was to come has come, under the name that its agent knows.
      if (due === undefined) this.#wishes.expect(withoutDue(known));
      return;
    }
    const taken = this.#wishes.expect({
      id,
      cluster,
      service,
      rps,
      startsAtMs: atMs,
      endsAtMs,
      cause: text,
      ...(due === undefined ? {} : { due }),
    });
    if (due !== undefined) this.#told.set(key, endsAtMs);
    const when = atMs <= nowMs ? 'now' : `in ${Math.round((atMs - nowMs) / 1000)} s`;
    const what = `${rps} requests/s of ${service} are expected in ${cluster} ${when}, for ${Math.round(forMs / 1000)} s: ${text}`;
    this.#edge.events.add('agent.expected', taken ? what : `${what}; too many services have expectations there, and its agent is not told`);
  }

  #drop(one: ForeseenExpectation, why: string): void {
    this.#wishes.drop(one);
    this.#edge.events.add('agent.expected', `${one.rps} requests/s of ${one.service} are not expected in ${one.cluster} any more: ${why}`);
  }
}

function withoutDue({ due, ...come }: ForeseenExpectation): ForeseenExpectation {
  return due === undefined ? { ...come } : come;
}

/** By the plan that holds now, which has seen the health of now. */
function basisOf({ keeper, prober, loop, config }: Edge): Basis {
  const { intent } = keeper;
  const { standings, memory } = loop.planned;
  const out = Object.keys(config.clusters).filter((name) => isOut(standings[name]?.failback));
  return { key: `${intent.revision} ${out.join(' ')}`, intent, health: prober.view(), memory, out };
}

function isOut(state: string | undefined): boolean {
  return state === 'out' || state === 'held' || state === 'waiting';
}
