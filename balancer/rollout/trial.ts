// A version under trial during one step of a rollout: its gates at work, what they say, and what is to be done. Pure.
import type { RolloutAction } from '../intent/intent.ts';
import { holdOf, type RolloutIntent, type RolloutPhase } from '../intent/rollout.ts';
import { STANDING_ERRORS_GATE } from './gates/errors.ts';
import { readGate } from './gates/registry.ts';
import type { Evidence, Gate, GateAtWork, Judgement } from './gate.ts';

/** So many of the last requests failing end it at once, whatever the gates are. */
const KILL_RATIO = 0.5;
const KILL_REQUESTS = 20;

export interface GateState extends Judgement {
  readonly gate: string;
}

/** What the driver does next, and why; null: nothing. */
export interface Decision {
  readonly action: Extract<RolloutAction, 'step' | 'end' | 'fail'>;
  readonly note: string;
  /** What says so: requests as hosts counted them, or the answer of a gate that asks. */
  readonly evidence: 'requests' | 'answers';
  /** Of a failure: whether it is in the clusters whose turn it is, or in those of waves that had passed. */
  readonly where: 'present' | 'earlier';
}

/** Gates that ask are called by their names, the others by a condition. */
const ASKED = /^[a-z0-9-]+$/;

interface Working {
  readonly text: string;
  readonly work: GateAtWork;
}

export class Trial {
  readonly #rollout: RolloutIntent;
  readonly #present: Watch;
  /** Of waves that have passed: what turns bad there later is found out too, and not thinned by what is good here. */
  readonly #earlier: Watch;

  constructor(rollout: RolloutIntent) {
    this.#rollout = rollout;
    this.#present = new Watch(rollout);
    this.#earlier = new Watch(rollout);
  }

  /** Requests to the version in this step. */
  get requests(): number {
    return this.#present.requests;
  }

  /** `earlier`: in the clusters of waves that have passed; null: there are none. */
  add(evidence: Evidence, earlier: Evidence | null = null): void {
    this.#present.add(evidence);
    if (earlier !== null) this.#earlier.add(earlier);
  }

  /** Of the present clusters; of the earlier ones what fails there. */
  judge(): readonly GateState[] {
    const failing = this.#earlier.judge().filter(({ verdict }) => verdict === 'fail');
    return [...this.#present.judge(), ...failing.map((state) => ({ ...state, says: `${state.says}, ${EARLIER}` }))];
  }

  /** `phase`: of the rollout now; `heldMs`: how long the step has lasted. */
  decide(phase: RolloutPhase, heldMs: number): Decision | null {
    const { minRequests, step, steps, waves = [], wave = 0 } = this.#rollout;
    // Frozen ends by people only.
    if (phase === 'frozen') return null;
    const killed = this.#present.failsMostly();
    if (killed !== null) return { action: 'fail', note: killed, evidence: 'requests', where: 'present' };
    const killedEarlier = this.#earlier.failsMostly();
    if (killedEarlier !== null) return { action: 'fail', note: `${killedEarlier}, ${EARLIER}`, evidence: 'requests', where: 'earlier' };
    const states = this.judge();
    const at = states.findIndex(({ verdict }) => verdict === 'fail');
    const failed = states[at];
    if (failed !== undefined)
      return {
        action: 'fail',
        note: `gate ${failed.gate}: ${failed.says}`,
        evidence: ASKED.test(failed.gate) ? 'answers' : 'requests',
        where: at < this.#present.gates ? 'present' : 'earlier',
      };
    if (phase !== 'running' || heldMs < holdOf(this.#rollout) || this.requests < minRequests) return null;
    if (states.some(({ verdict }) => verdict !== 'pass')) return null;
    return {
      action: step + 1 < steps.length || wave + 1 < waves.length ? 'step' : 'end',
      note: '',
      evidence: 'requests',
      where: 'present',
    };
  }
}

const EARLIER = 'in a wave that had passed';

/** The gates at work on some of the clusters. */
class Watch {
  readonly #minRequests: number;
  readonly #gates: readonly Working[];
  #requests = 0;
  /** The newest requests, as far as they are needed for the quick end. */
  #recent: { readonly requests: number; readonly errors: number }[] = [];

  constructor({ gates, minRequests }: RolloutIntent) {
    this.#minRequests = minRequests;
    this.#gates = gatesOf(gates).map((gate) => ({ text: gate.text, work: gate.begin() }));
  }

  get requests(): number {
    return this.#requests;
  }

  get gates(): number {
    return this.#gates.length;
  }

  add(evidence: Evidence): void {
    this.#requests += evidence.trial.requests;
    this.#keepRecent(evidence);
    for (const { work } of this.#gates) work.add(evidence);
  }

  judge(): readonly GateState[] {
    return this.#gates.map(({ text, work }) => ({ gate: text, ...work.judge(this.#minRequests) }));
  }

  failsMostly(): string | null {
    const requests = this.#recent.reduce((sum, second) => sum + second.requests, 0);
    const errors = this.#recent.reduce((sum, second) => sum + second.errors, 0);
    if (requests < KILL_REQUESTS || errors < KILL_RATIO * requests) return null;
    return `${errors} of the last ${requests} requests failed`;
  }

  #keepRecent({ trial: { requests, errors } }: Evidence): void {
    if (requests === 0) return;
    this.#recent.push({ requests, errors });
    let kept = this.#recent.reduce((sum, second) => sum + second.requests, 0);
    for (let oldest = this.#recent[0]; oldest !== undefined && kept - oldest.requests >= KILL_REQUESTS; oldest = this.#recent[0]) {
      kept -= oldest.requests;
      this.#recent.shift();
    }
  }
}

/** Those of the operator; the one against the errors of the others always stands, unless it is named with another factor. */
export function gatesOf(texts: readonly string[]): readonly Gate[] {
  // Its name was looked up when the rollout began; what has left the config since is never answered, and never passes.
  const named = texts.map((text) => readGate(text, { has: () => true })).filter((gate) => typeof gate !== 'string');
  return named.some(({ text }) => text.startsWith('errors<') && text.endsWith('x')) ? named : [STANDING_ERRORS_GATE, ...named];
}
