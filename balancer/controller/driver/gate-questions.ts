// Asks the gates that ask, for one step of one rollout: each at its own rate, and never again before it was answered or its time is over.
import type { Clock } from '../../../health/clock.ts';
import type { AskedGateConfig } from '../../config/gate-config.ts';
import type { About } from '../../rollout/asked-gate.ts';
import type { Judgement, Reading } from '../../rollout/gate.ts';
import { questionOf, readAnswer } from '../../rollout/gates/registry.ts';
import { fetchAnswer, type Fetched } from './fetch-answer.ts';

export interface QuestionOptions {
  readonly clock: Clock;
  /** Those of the config that is served now, by name. */
  readonly gates: () => Readonly<Record<string, AskedGateConfig>>;
  /** Of the rollout, as people wrote them; those that ask nobody are passed over. */
  readonly texts: readonly string[];
  readonly about: About;
}

interface Asking {
  readonly name: string;
  askedAtMs: number;
  /** Null: no question is under way. */
  abort: AbortController | null;
}

const NAME = /^[a-z0-9-]+$/;

export class GateQuestions {
  readonly #options: QuestionOptions;
  readonly #asking: readonly Asking[];
  readonly #readings = new Map<string, Reading>();
  #closed = false;

  constructor(options: QuestionOptions) {
    this.#options = options;
    const names = options.texts.map((text) => text.replaceAll(/\s/g, '')).filter((text) => NAME.test(text));
    this.#asking = [...new Set(names)].map((name) => ({ name, askedAtMs: -Infinity, abort: null }));
  }

  /** Once a second. */
  tick(): void {
    for (const asking of this.#asking) {
      const gate = this.#options.gates()[asking.name];
      if (gate === undefined) this.#hear(asking.name, { verdict: 'insufficient', says: 'the config does not declare it any more' }, 1);
      else if (asking.abort === null && this.#options.clock.nowMs() - asking.askedAtMs >= gate.everyMs - TICK_LATENESS_MS)
        void this.#ask(asking, gate);
    }
  }

  /** What was answered since this was asked for. */
  take(): ReadonlyMap<string, Reading> {
    const readings = new Map(this.#readings);
    this.#readings.clear();
    return readings;
  }

  close(): void {
    this.#closed = true;
    for (const { abort } of this.#asking) abort?.abort();
  }

  async #ask(asking: Asking, gate: AskedGateConfig): Promise<void> {
    const { clock, about } = this.#options;
    const abort = new AbortController();
    asking.abort = abort;
    asking.askedAtMs = clock.nowMs();
    const timer = clock.after(gate.timeoutMs, () => abort.abort(), true);
    const fetched = await fetchAnswer(gate, questionOf(gate, about), abort.signal);
    timer.cancel();
    asking.abort = null;
    if (!this.#closed) this.#hear(asking.name, judgementOf(gate, fetched), gate.failures);
  }

  #hear(name: string, judgement: Judgement, failures: number): void {
    this.#readings.set(name, { ...judgement, failures });
  }
}

/** Ticks are a second apart, and some a little less. */
const TICK_LATENESS_MS = 500;

function judgementOf(gate: AskedGateConfig, fetched: Fetched): Judgement {
  return fetched.ok ? readAnswer(gate, fetched.answer) : { verdict: 'insufficient', says: fetched.problem };
}
