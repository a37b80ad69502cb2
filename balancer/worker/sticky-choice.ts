// Where a client of a service with stickiness goes: what a trusted peer says, else its pin, else its key, else the split.
import type { StickyConfig } from '../config/sticky-config.ts';
import { cookieValue, requestKey } from '../message/request-key.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { KeyedSplit, NOWHERE } from '../steer/keyed-split.ts';
import { Pins, setCookie } from '../steer/pins.ts';
import type { PlanTarget, ServicePlan } from '../steer/plan-shape.ts';
import { SeenKeys } from '../steer/seen-keys.ts';
import { SplitChooser } from '../steer/split.ts';
import { isNamed, overrideOf, shareKeys, stickyPlaces, type StickyPlace } from '../steer/sticky-places.ts';
import type { Counter, Meter } from '../telemetry/meter.ts';
import type { ServiceTarget, SteeringEnvironment } from './service-steering.ts';

export type StickyRequest = Pick<CanonicalRequest, 'fields' | 'query' | 'clientAddress' | 'peerTrusted' | 'scheme'>;

/** The split decides. */
export const BY_SPLIT = -2;

/** What the choice is made from, worked out anew when the plan or this worker's evidence changes. */
export interface Situation {
  readonly planned: readonly PlanTarget[];
  readonly effective: readonly number[];
  readonly shed: number;
  readonly epoch: number;
}

/** A version, or a version in a cluster. */
interface Place {
  readonly targets: readonly ServiceTarget[];
  /** Among its targets, where it has several. */
  readonly chooser: SplitChooser;
  /** Since when it has no share; Infinity: it has one. */
  emptySinceMs: number;
}

export type ChosenBy = 'split' | 'key' | 'pin' | 'override' | 'assign';

type PinOutcome = 'kept' | 'void' | 'broken' | 'evicted';

export class StickyChoice {
  readonly #service: string;
  readonly #config: StickyConfig;
  readonly #environment: SteeringEnvironment;
  readonly #names: readonly StickyPlace[];
  readonly #places: readonly Place[];
  readonly #placeOfTarget: readonly number[];
  readonly #split: KeyedSplit;
  #situation: Situation | null = null;
  #pins: Pins | null = null;
  #pinsOf = '';
  /** Null: no key has come. */
  #seen: SeenKeys | null = null;
  #isNew = false;
  /** By target; made when it is first needed. */
  readonly #news: Counter[] = [];
  /** What decided the last choice. */
  chosenBy: ChosenBy = 'split';

  constructor(config: StickyConfig, targets: readonly ServiceTarget[], environment: SteeringEnvironment, previous: StickyChoice | null) {
    this.#service = targets[0]?.service ?? '';
    this.#config = config;
    this.#environment = environment;
    this.#names = stickyPlaces(
      config.scope,
      targets.map(({ version, cluster }) => ({ version, cluster: cluster.name })),
    );
    this.#places = this.#names.map((place) => placeOf(place, targets, environment));
    const before = new Map(
      previous === null ? [] : previous.#names.map(({ name }, index) => [name, previous.#places[index]?.emptySinceMs]),
    );
    for (const [index, place] of this.#places.entries()) place.emptySinceMs = before.get(this.#names[index]?.name ?? '') ?? Infinity;
    this.#placeOfTarget = targets.map((target) => this.#places.findIndex((place) => place.targets.includes(target)));
    this.#split = new KeyedSplit(this.#names, config.salt);
  }

  update(situation: Situation): void {
    this.#situation = situation;
    const { planned, effective, shed } = situation;
    const emptied = shareKeys(this.#split, this.#names, { desired: planned.map(({ desired }) => desired), effective, shed });
    for (const [index, place] of this.#places.entries()) {
      const empty = emptied[index] === true;
      place.emptySinceMs = empty ? Math.min(place.emptySinceMs, this.#environment.deadlines.nowMs) : Infinity;
      // A place at weight 0 that clients still have goes evenly over what is up.
      place.chooser.setWeights(place.targets.map((target) => (empty ? (this.#isUp(target) ? 1 : 0) : (effective[target.index] ?? 0))));
    }
    this.#renewPins(situation.epoch);
  }

  /** The index of a target; NOWHERE: its share is lost; BY_SPLIT: nothing says where it belongs. */
  choose(request: StickyRequest): number {
    const forced = this.#forced(request);
    this.chosenBy = 'override';
    this.#isNew = false;
    if (forced !== null) return forced.index;
    this.chosenBy = 'pin';
    const pinned = this.#config.mode === 'cookie' ? this.#pinned(request) : null;
    if (pinned !== null) return pinned;
    const key = this.#config.key === null ? null : requestKey(this.#config.key, request);
    this.chosenBy = key === null ? 'split' : 'key';
    this.#isNew = key === null || (this.#seen ??= new SeenKeys()).isNew(key, this.#environment.deadlines.nowMs);
    if (key === null) return BY_SPLIT;
    const place = this.#split.place(key);
    return place === NOWHERE ? NOWHERE : this.#within(place);
  }

  /** Counts the place that the last choice gave a client that had none, and that nobody chose for it. By these the split is met. */
  countNew({ service, version, cluster, index }: ServiceTarget): void {
    if (!this.#isNew) return;
    (this.#news[index] ??= this.#meter.counter('weir_assignments_total', [service, version, cluster.name])).add(1);
  }

  /** Whether somebody who is trusted has said where it goes. */
  isForced(request: StickyRequest): boolean {
    return this.#config.override !== null && this.#forced(request) !== null;
  }

  /** The cookie for a client that `target` has answered; null: it has it already, or none is given. */
  cookieFor(target: ServiceTarget, request: StickyRequest): string | null {
    const place = this.#placeOfTarget[target.index] ?? NOWHERE;
    if (this.#config.mode !== 'cookie' || this.#pins === null || place === NOWHERE || this.#forced(request) !== null) return null;
    const value = this.#pins.valueOf(place);
    if (cookieValue(request.fields, this.#config.cookieName) === value) return null;
    return setCookie(this.#config, value, request.scheme);
  }

  get #meter(): Meter {
    return this.#environment.meter;
  }

  /** Only who is trusted may choose, and never what is in maintenance or down. */
  #forced(request: StickyRequest): ServiceTarget | null {
    const asked = overrideOf(this.#config, request);
    if (asked === undefined) return null;
    for (const { targets } of this.#places)
      for (const target of targets)
        if (isNamed(asked, { version: target.version, cluster: target.cluster.name }) && this.#isUp(target)) return target;
    return null;
  }

  #pinned(request: StickyRequest): number | null {
    const cookie = cookieValue(request.fields, this.#config.cookieName);
    if (cookie === null) return null;
    const place = this.#pins?.placeOf(cookie) ?? null;
    const outcome = place === null ? 'void' : this.#judge(place);
    this.#meter.counter('weir_pins_total', [this.#service, outcome]).add(1);
    if (place === null || outcome !== 'kept') return null;
    const target = this.#within(place);
    return target === NOWHERE ? null : target;
  }

  #judge(index: number): PinOutcome {
    const place = this.#places[index];
    if (place?.targets.some((target) => this.#isUp(target)) !== true) return 'broken';
    if (place.emptySinceMs === Infinity) return 'kept';
    const { onZero, drainMs } = this.#config;
    return onZero === 'drain' && this.#environment.deadlines.nowMs - place.emptySinceMs < drainMs ? 'kept' : 'evicted';
  }

  /** Up by health, whatever its weight; maintenance is for nobody. */
  #isUp({ index, cluster, detector }: ServiceTarget): boolean {
    const reasons = this.#situation?.planned[index]?.reasons ?? [];
    if (reasons.includes('maintenance') || reasons.includes('target_ejected')) return false;
    return cluster.available && !detector.isEjected(this.#environment.deadlines.nowMs);
  }

  #within(index: number): number {
    const place = this.#places[index];
    const [only] = place?.targets ?? [];
    if (place === undefined || only === undefined) return NOWHERE;
    return place.targets.length === 1 ? only.index : (place.targets[place.chooser.next()]?.index ?? NOWHERE);
  }

  #renewPins(epoch: number): void {
    const { pinKey } = this.#environment;
    const of = `${epoch}/${pinKey.changes}`;
    if (this.#config.mode !== 'cookie' || pinKey.bytes === null || of === this.#pinsOf) return;
    this.#pins = new Pins(this.#service, epoch, this.#names, pinKey.bytes);
    this.#pinsOf = of;
  }
}

export const epochOf = ({ pinEpoch }: Pick<ServicePlan, 'pinEpoch'>): number => pinEpoch ?? 0;

function placeOf(place: StickyPlace, all: readonly ServiceTarget[], { random }: SteeringEnvironment): Place {
  const targets = place.targets.flatMap((index) => all[index] ?? []);
  const chooser = new SplitChooser(
    targets.map(() => 0),
    random,
  );
  return { targets, chooser, emptySinceMs: Infinity };
}
