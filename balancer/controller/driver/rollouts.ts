// Drives the rollouts of the intent: once a second it asks the gates, and moves on what has passed or failed. What it has to know after a restart is
// in the intent; what was measured in a step is measured anew.
import { applyRollout, type Moment } from '../../rollout/apply-rollout.ts';
import { Trial, type Decision, type GateState } from '../../rollout/trial.ts';
import type { RolloutChange } from '../../intent/intent.ts';
import { isActive, type RolloutIntent } from '../../intent/rollout.ts';
import type { Edge } from '../edge.ts';
import { fleetWallMs } from '../fleet/fleet-time.ts';
import { GateQuestions } from './gate-questions.ts';
import { tellEndedOverrides } from './expiries.ts';
import { KEPT_SECONDS } from './outcomes.ts';

interface Driven {
  readonly rollout: RolloutIntent;
  readonly trial: Trial;
  readonly questions: GateQuestions;
}

export class RolloutDriver {
  readonly #edge: Edge;
  readonly #driven = new Map<string, Driven>();
  /** Why a step could not be made, told once. */
  readonly #told = new Map<string, string>();
  #busy = false;

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** Once a second. */
  tick(): void {
    const services = this.#edge.keeper.intent.services;
    const active = Object.entries(services).flatMap(([name, { rollout }]) => (isActive(rollout) ? [{ name, rollout }] : []));
    this.#edge.outcomes.endSecond(new Set(active.map(({ name }) => name)));
    for (const name of this.#driven.keys()) if (!active.some((other) => other.name === name)) this.#forget(name);
    if (!this.#edge.fleet.leads) return;
    for (const { name, rollout } of active) this.#look(name, rollout);
  }

  /** What the gates say now; null: no rollout is under way, or it was not looked at yet. */
  stateOf(service: string): { readonly gates: readonly GateState[]; readonly requests: number } | null {
    const driven = this.#driven.get(service);
    return driven === undefined ? null : { gates: driven.trial.judge(), requests: driven.trial.requests };
  }

  /** Ends what was asked and is not answered. */
  close(): void {
    for (const name of [...this.#driven.keys()]) this.#forget(name);
  }

  #forget(service: string): void {
    this.#driven.get(service)?.questions.close();
    this.#driven.delete(service);
  }

  #look(service: string, rollout: RolloutIntent): void {
    const { trial, questions } = this.#drivenOf(service, rollout);
    const outcomes = this.#edge.outcomes.of(service);
    if (outcomes !== null)
      trial.add({ ...outcomes.evidence(rollout), readings: questions.take() }, outcomes.evidenceOfEarlierWaves(rollout));
    // Frozen waits for people, whatever the gates say.
    if (rollout.phase !== 'frozen') questions.tick();
    const heldMs = fleetWallMs(this.#edge) - Date.parse(rollout.stepAt);
    const decision = trial.decide(rollout.phase, heldMs);
    if (decision === null || this.#busy) return;
    const doubt = this.#edge.votes.doubt(service, rollout, decision);
    if (doubt === null) void this.#make(service, rollout, decision);
    else this.#tell(service, `the rollout to ${rollout.to} does not ${decision.action} yet: ${doubt}`);
  }

  #drivenOf(service: string, rollout: RolloutIntent): Driven {
    const before = this.#driven.get(service);
    if (before !== undefined && sameStep(before.rollout, rollout)) return before;
    this.#forget(service);
    const { options } = this.#edge;
    const about = { service, version: rollout.to };
    const questions = new GateQuestions({ clock: options.clock, gates: () => this.#edge.config.gates, texts: rollout.gates, about });
    this.#edge.votes.begin(service);
    const driven = { rollout, trial: new Trial(rollout), questions };
    this.#driven.set(service, driven);
    return driven;
  }

  async #make(service: string, rollout: RolloutIntent, { action, note }: Pick<Decision, 'action' | 'note'>): Promise<void> {
    this.#busy = true;
    const problem = await this.#edge.changes.run(() => this.#commit(service, rollout, { action, note })).catch(String);
    this.#busy = false;
    if (problem === null) this.#told.delete(service);
    else this.#tell(service, `the rollout to ${rollout.to} cannot ${action} now: ${problem}`);
  }

  #tell(service: string, text: string): void {
    if (this.#told.get(service) === text) return;
    this.#told.set(service, text);
    this.#edge.events.add('rollout.held', `${service}: ${text}`);
  }

  /** Null: done, or no longer to be done. Else why not. */
  async #commit(service: string, rollout: RolloutIntent, { action, note }: Pick<Decision, 'action' | 'note'>): Promise<string | null> {
    const edge = this.#edge;
    // The lead may have gone while this waited for its turn; without it nothing is changed.
    if (!edge.fleet.leads) return null;
    const before = edge.keeper.intent;
    const now = before.services[service]?.rollout;
    // Somebody else may have moved it while this waited for its turn.
    if (now === undefined || !sameStep(now, rollout) || now.phase !== rollout.phase) return null;
    const change: RolloutChange = { kind: 'rollout', service, action };
    const outcome = applyRollout(before, change, edge.facts(), momentOf(edge, service, note));
    if (!outcome.ok) return outcome.refusal.message;
    const author = { name: 'rollout', how: `rollout of ${service}, begun with revision ${rollout.id}` };
    const cause = { author, source: 'rollout' as const, reason: note, change, undoes: null, lease: edge.fleet.lease };
    const committed = await edge.keeper.commit(outcome.intent, outcome.touched, cause);
    // Who moved it has made what this would have been, or it is looked at again in a second.
    if (!committed.ok) return committed.code === 'conflict' ? null : committed.message;
    edge.events.add(action === 'fail' ? 'rollout.failed' : 'rollout.step', `revision ${outcome.intent.revision}: ${outcome.summary}`);
    tellEndedOverrides(edge, outcome.touched, outcome.intent.revision);
    edge.loop.recompute();
    return null;
  }
}

function sameStep(one: RolloutIntent, other: RolloutIntent): boolean {
  return one.id === other.id && one.wave === other.wave && one.step === other.step && one.stepAt === other.stepAt;
}

/** `note`: why the rollout is changed now. */
export function momentOf(edge: Edge, service: string, note: string): Moment {
  const { errorRatio } = edge.window.figures({ of: 'service', service }, KEPT_SECONDS);
  return { at: new Date(fleetWallMs(edge)).toISOString(), note, usualErrorRatio: errorRatio };
}
