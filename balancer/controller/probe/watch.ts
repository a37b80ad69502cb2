// One thing under observation: when it is checked, what its checks and the evidence of real traffic say together.
import type { Clock, Random, Timer } from '../../../health/clock.ts';
import { HoldDown, type HoldDownSettings } from '../../../health/hold-down.ts';
import type { ProbeOutcome } from '../../../health/probe.ts';
import { type CheckedState, RiseFall } from '../../../health/rise-fall.ts';

export interface WatchSettings {
  readonly intervalMs: number;
  readonly rise: number;
  readonly fall: number;
}

/** `held`: all speaks for it, but it flapped and has to stay away a little longer where something else can do its work. */
export type Condition = CheckedState | 'held';

/** One active check; null: it could not be asked, which says nothing about it. */
export type Check = (signal: AbortSignal) => Promise<Pick<ProbeOutcome, 'ok' | 'reason'> | null>;

export interface WatchDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly holdDown: HoldDownSettings;
  readonly onChange: () => void;
}

/** First checks are spread over this, so that a start is quick and not a burst. */
const FIRST_SPREAD_MS = 200;
/** Each interval is longer or shorter by up to this part, so that hosts do not fall into step. */
const JITTER = 0.1;
/** After a result against the state, the next check comes in this part of the interval. */
const DOUBTFUL_INTERVAL = 1 / 4;

/**
 * Down while an ejection lasts, and afterwards until `rise` checks since its begin were good: a probe that is answered while
 * requests fail must not bring the requests back. Without a check, the end of the ejection is the return.
 */
export class Watch {
  readonly #dependencies: WatchDependencies;
  readonly #holdDown: HoldDown;
  #check: Check | null = null;
  #settings: WatchSettings = { intervalMs: 0, rise: 1, fall: 1 };
  #active: RiseFall;
  #checkReason = 'down before the restart of the controller';
  #ejectedUntilMs = Number.NEGATIVE_INFINITY;
  #ejectionReason = '';
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #condition: Condition;
  #next: Timer | null = null;
  #wake: Timer | null = null;
  #running: AbortController | null = null;

  constructor(initial: CheckedState, dependencies: WatchDependencies) {
    this.#dependencies = dependencies;
    this.#holdDown = new HoldDown(dependencies.holdDown);
    this.#active = new RiseFall(this.#settings, initial);
    this.#condition = initial;
  }

  get condition(): Condition {
    return this.#condition;
  }

  /** Why it is not up; empty when it is. */
  get reason(): string {
    switch (this.#condition) {
      case 'up':
        return '';
      case 'unknown':
        return 'not checked yet';
      case 'held':
        return 'held back after flapping';
      case 'down':
        return this.#ejectedNow() ? this.#ejectionReason : this.#checkReason;
    }
  }

  /** Takes over how it is checked from now on and checks soon; its state stays. Null: never checked, up until traffic speaks against it. */
  configure(check: Check | null, settings: WatchSettings): void {
    this.#stopChecking();
    this.#check = check;
    this.#settings = settings;
    this.#active = new RiseFall(settings, check === null ? 'up' : this.#active.state);
    this.#settle();
    if (check !== null) this.#schedule(this.#dependencies.random() * Math.min(settings.intervalMs, FIRST_SPREAD_MS));
  }

  /** Real traffic spoke against it. Checked at once, as the two kinds of evidence together say more. */
  eject(forMs: number, reason: string): void {
    this.#ejectedUntilMs = Math.max(this.#ejectedUntilMs, this.#dependencies.clock.nowMs() + forMs);
    this.#ejectionReason = reason;
    if (this.#check !== null) {
      this.#active.takeDown();
      this.#checkReason = reason;
      if (this.#running === null) this.#schedule(0);
    }
    this.#settle();
  }

  close(): void {
    this.#stopChecking();
    this.#wake?.cancel();
    this.#wake = null;
  }

  #stopChecking(): void {
    this.#next?.cancel();
    this.#next = null;
    this.#running?.abort(new Error('the check is not wanted any more'));
    this.#running = null;
  }

  #schedule(delayMs: number): void {
    this.#next?.cancel();
    this.#next = this.#dependencies.clock.after(delayMs, () => void this.#run(), true);
  }

  async #run(): Promise<void> {
    if (this.#check === null) return;
    const startedAtMs = this.#dependencies.clock.nowMs();
    const running = new AbortController();
    this.#running = running;
    const result = await this.#check(running.signal);
    // Reconfigured or closed meanwhile: the answer belongs to a check that is not wanted any more.
    if (this.#running !== running) return;
    this.#running = null;
    if (result !== null) {
      if (!result.ok) this.#checkReason = result.reason;
      this.#active.observe(result.ok);
    }
    this.#schedule(Math.max(0, startedAtMs + this.#intervalMs() - this.#dependencies.clock.nowMs()));
    this.#settle();
  }

  #intervalMs(): number {
    const factor = 1 + JITTER * (2 * this.#dependencies.random() - 1);
    return this.#settings.intervalMs * factor * (this.#active.doubtful ? DOUBTFUL_INTERVAL : 1);
  }

  #ejectedNow(): boolean {
    return this.#dependencies.clock.nowMs() < this.#ejectedUntilMs;
  }

  #evaluate(): Condition {
    if (this.#ejectedNow()) return 'down';
    if (this.#active.state !== 'up') return this.#active.state;
    return this.#dependencies.clock.nowMs() < this.#heldUntilMs ? 'held' : 'up';
  }

  /** Works the condition out again, and once more when an ejection or a hold ends. */
  #settle(): void {
    const nowMs = this.#dependencies.clock.nowMs();
    const before = this.#condition;
    const after = this.#evaluate();
    if (before === 'up' && after === 'down') this.#heldUntilMs = nowMs + this.#holdDown.fell(nowMs);
    if ((before === 'down' || before === 'held') && after === 'up') this.#holdDown.returned(nowMs);
    this.#condition = after;
    this.#wake?.cancel();
    const ends = [this.#ejectedUntilMs, this.#heldUntilMs].filter((untilMs) => untilMs > nowMs);
    this.#wake = ends.length === 0 ? null : this.#dependencies.clock.after(Math.min(...ends) - nowMs, () => this.#settle(), true);
    if (before !== after) this.#dependencies.onChange();
  }
}
