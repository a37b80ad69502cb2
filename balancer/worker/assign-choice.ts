// Where requests go that a rule of the service takes before the split: to the version it names, by the plan and by what this worker sees itself.
import type { AssignRule } from '../config/assign-config.ts';
import { Assignment, NO_RULE } from '../route/assignment.ts';
import type { OnUnavailable } from '../config/config.ts';
import type { Keyed } from '../message/request-key.ts';
import type { PlanTarget } from '../steer/plan-shape.ts';
import { BY_SPLIT } from './sticky-choice.ts';
import { NOWHERE } from '../steer/keyed-split.ts';
import type { ServiceTarget, SteeringEnvironment } from './service-steering.ts';
import { VersionPlaces } from './version-places.ts';

export class AssignChoice {
  readonly #assignment: Assignment;
  /** By rule. */
  readonly #places: readonly VersionPlaces[];
  readonly #all: ReadonlyMap<string, VersionPlaces>;
  readonly #environment: SteeringEnvironment;
  readonly #service: string;
  readonly #otherwise: number;

  constructor(
    rules: readonly AssignRule[],
    targets: readonly ServiceTarget[],
    environment: SteeringEnvironment,
    onUnavailable: OnUnavailable,
  ) {
    this.#assignment = new Assignment(rules);
    this.#environment = environment;
    this.#service = targets[0]?.service ?? '';
    // Where nothing may move, what has no place is lost.
    this.#otherwise = onUnavailable === 'redistribute' ? BY_SPLIT : NOWHERE;
    this.#all = new Map(rules.map(({ to }) => [to, new VersionPlaces(to, targets, environment)]));
    this.#places = rules.flatMap(({ to }) => this.#all.get(to) ?? []);
  }

  update(planned: readonly PlanTarget[]): void {
    for (const places of this.#all.values()) places.update(planned);
  }

  takes(request: Keyed): boolean {
    return this.#assignment.match(request) !== NO_RULE;
  }

  /** The index of a target; BY_SPLIT: no rule holds, or its version has no place and shares may move; NOWHERE: they may not. */
  choose(request: Keyed): number {
    return this.#place(this.#assignment.match(request));
  }

  /** The same for a connection that is passed through. */
  chooseConnection(clientAddress: string): number {
    return this.#place(this.#assignment.matchConnection(clientAddress));
  }

  #place(rule: number): number {
    const places = this.#places[rule];
    if (places === undefined) return BY_SPLIT;
    const index = places.next();
    if (index !== NOWHERE) return index;
    this.#environment.meter.counter('weir_assign_unavailable_total', [this.#service, places.version]).add(1);
    return this.#otherwise;
  }
}
