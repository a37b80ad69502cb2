// A cluster of the model: a queue that is served at the cluster's rate, and what an agent in it would measure.
import { type ClusterModel, faultNow, type Scenario } from './scenario.ts';

/** What waits longer than this in the queue fails. */
const QUEUE_SECONDS = 1;
/** What an answer takes without a queue. */
const ANSWER_MS = 30;
/** Use of an idle cluster; a real one never shows 0. */
const IDLE_USE = 0.05;

export interface Measured {
  readonly utilisation: number;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
}

export class SimulatedCluster {
  readonly name: string;
  readonly model: ClusterModel;
  readonly #scenario: Scenario;
  #queued = 0;
  /** Since the last step of the model. */
  #arrived = 0;
  #failing = 0;
  /** Since the agent's last look. */
  #errors = 0;
  #offered = 0;
  #measuredAtMs = 0;
  /** In the second that runs, and the highest of a judged second: requests over what it can do. */
  #second = 0;
  worstLoad = 0;

  constructor(name: string, model: ClusterModel, scenario: Scenario) {
    this.name = name;
    this.model = model;
    this.#scenario = scenario;
  }

  isDown(nowMs: number): boolean {
    if (faultNow(this.#scenario, 'down', this.name, nowMs) !== null) return true;
    const flap = faultNow(this.#scenario, 'flap', this.name, nowMs);
    return flap !== null && (nowMs - flap.fromMs) % flap.periodMs < flap.periodMs / 2;
  }

  /** Requests per second it can do now. */
  rate(nowMs: number): number {
    return this.model.rps * (faultNow(this.#scenario, 'weak', this.name, nowMs)?.part ?? 1);
  }

  /** Takes a request; false: it fails. `lot` is uniform in [0, 1). */
  take(nowMs: number, lot: number): boolean {
    if (this.isDown(nowMs)) return false;
    this.#arrived += 1;
    this.#second += 1;
    const errors = faultNow(this.#scenario, 'errors', this.name, nowMs)?.part ?? 0;
    const failed = lot < errors || this.#queued > QUEUE_SECONDS * this.rate(nowMs);
    if (failed) this.#failing += 1;
    return !failed;
  }

  /** What a request that comes now waits for its answer. */
  answerMs(nowMs: number): number {
    const slow = faultNow(this.#scenario, 'slow', this.name, nowMs)?.part ?? 1;
    return ANSWER_MS / slow + (1000 * this.#queued) / this.rate(nowMs);
  }

  /** Serves for so long. */
  step(nowMs: number, ms: number): void {
    const able = (this.rate(nowMs) * ms) / 1000;
    const queued = this.#queued + this.#arrived;
    const served = Math.min(queued, able);
    this.#queued = Math.min(queued - served, QUEUE_SECONDS * this.rate(nowMs) + this.#arrived);
    this.#offered += this.#arrived;
    this.#errors += this.#failing;
    this.#arrived = 0;
    this.#failing = 0;
  }

  /** Ends a second; the load of it counts when it is judged. */
  endSecond(nowMs: number, judged: boolean): void {
    if (judged && !this.isDown(nowMs)) this.worstLoad = Math.max(this.worstLoad, this.#second / this.rate(nowMs));
    this.#second = 0;
  }

  /** What the agent sees since it looked last; `noise` is uniform in [0, 1). */
  measure(nowMs: number, noise: number): Measured {
    const seconds = Math.max(0.001, (nowMs - this.#measuredAtMs) / 1000);
    const use = this.#offered / seconds / this.rate(nowMs);
    const measured = {
      utilisation: (IDLE_USE + (1 - IDLE_USE) * Math.min(use, 1.5)) * (1 + 0.04 * (noise - 0.5)),
      requestsPerSecond: this.#offered / seconds,
      errorsPerSecond: Math.min(this.#errors, this.#offered) / seconds,
    };
    this.#offered = 0;
    this.#errors = 0;
    this.#measuredAtMs = nowMs;
    return measured;
  }
}
