// What chooses the place of a request that is not sent: override, pin, key or split, with the code that workers choose with. Pure.
import { MILLION, type ServiceConfig } from '../config/config.ts';
import type { StickyConfig } from '../config/sticky-config.ts';
import { cookieValue, requestKey } from '../message/request-key.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { KeyedSplit } from '../steer/keyed-split.ts';
import { Pins } from '../steer/pins.ts';
import type { HealthView, PlanTarget, ServicePlan } from '../steer/plan-shape.ts';
import { isNamed, overrideOf, shareKeys, stickyPlaces, type StickyPlace } from '../steer/sticky-places.ts';
import type { ExplainedChoice } from './api/explain-view.ts';
import { explainAssign } from './explain-assign.ts';

export interface ChoiceFacts {
  readonly config: ServiceConfig;
  readonly plan: ServicePlan;
  readonly health: HealthView;
  /** That signs pins; null: none is known yet. */
  readonly pinKey: Buffer | null;
  /** A connection of which nothing but its address is known. */
  readonly passedThrough: boolean;
}

export interface Choice {
  readonly choice: ExplainedChoice;
  /** 0 to 1 by target, of requests that are not refused before. */
  readonly probabilities: readonly number[];
}

export function explainChoice(facts: ChoiceFacts, request: CanonicalRequest): Choice {
  const { config, plan } = facts;
  const places = config.sticky === null ? null : new StickyExplanation(facts, config.sticky, request);
  const assigned = places?.isForced === true ? null : explainAssign(facts, request);
  if (assigned?.choice) return assigned.choice;
  const chosen = places === null ? bySplit(plan, 'each request goes by the split for itself', null) : places.choice();
  if (assigned === null) return chosen;
  return { ...chosen, choice: { ...chosen.choice, text: `${assigned.note}; ${chosen.choice.text}` } };
}

type Pin = ExplainedChoice['pin'];

function bySplit({ targets, lost, shed }: ServicePlan, text: string, pin: Pin): Choice {
  const total = targets.reduce((sum, { effective }) => sum + effective, 0) + lost - shed;
  const probabilities = targets.map(({ effective }) => (total === 0 ? 0 : effective / total));
  return { choice: { by: 'split', text, bucketPercent: null, pin }, probabilities };
}

class StickyExplanation {
  readonly #facts: ChoiceFacts;
  readonly #config: StickyConfig;
  readonly #request: CanonicalRequest;
  readonly #places: readonly StickyPlace[];
  readonly #split: KeyedSplit;
  readonly #empty: readonly boolean[];

  constructor(facts: ChoiceFacts, config: StickyConfig, request: CanonicalRequest) {
    const { targets, shed } = facts.plan;
    this.#facts = facts;
    this.#config = config;
    this.#request = request;
    this.#places = stickyPlaces(config.scope, targets);
    this.#split = new KeyedSplit(this.#places, config.salt);
    const shares = { desired: targets.map(({ desired }) => desired), effective: targets.map(({ effective }) => effective), shed };
    this.#empty = shareKeys(this.#split, this.#places, shares);
  }

  /** Somebody who is trusted has said where it goes. */
  get isForced(): boolean {
    return this.#forced() >= 0;
  }

  #forced(): number {
    const asked = overrideOf(this.#config, this.#request);
    return asked === undefined ? -1 : this.#facts.plan.targets.findIndex((target) => isNamed(asked, target) && this.#isUp(target));
  }

  choice(): Choice {
    const forced = this.#forced();
    const { override, mode, key } = this.#config;
    if (forced >= 0) {
      const asked = overrideOf(this.#config, this.#request);
      const text = `header ${override ?? ''}: ${asked ?? ''}, from a trusted peer`;
      return this.#chosen({ by: 'override', text, bucketPercent: null, pin: null }, [forced]);
    }
    const { place: pinned, pin } = mode === 'cookie' ? this.#pinned() : { place: -1, pin: null };
    if (pin === 'kept') {
      const text = `the cookie ${this.#config.cookieName} says ${this.#nameOf(pinned)}${this.#empty[pinned] === true ? ', which has weight 0 and lets clients stay for `drainFor`' : ''}`;
      return this.#chosen({ by: 'pin', text, bucketPercent: null, pin }, this.#places[pinned]?.targets ?? []);
    }
    const value = key === null ? null : requestKey(key, this.#request);
    if (value !== null) return this.#keyed(value, pin);
    const lacks = key === null ? 'no key is configured' : `it has no ${keyText(key)} to be known by`;
    return bySplit(this.#facts.plan, pin === null ? `${lacks}, so the split decides` : `its pin is ${pin} and ${lacks}`, pin);
  }

  #keyed(key: string, pin: Pin): Choice {
    const { config } = this.#facts;
    const place = this.#split.place(key);
    const bucketPercent = this.#split.point(key) * 100;
    const source = config.sticky?.key ?? null;
    const where = place < 0 ? 'nowhere: its share is lost' : this.#nameOf(place);
    const after = pin === null ? '' : `its pin is ${pin}; `;
    const text = `${after}the key ${source === null ? '' : keyText(source)} belongs to ${where}`;
    return this.#chosen({ by: 'key', text, bucketPercent, pin }, this.#places[place]?.targets ?? []);
  }

  #pinned(): { readonly place: number; readonly pin: Pin } {
    const { plan, config, pinKey } = this.#facts;
    const cookie = cookieValue(this.#request.fields, this.#config.cookieName);
    if (cookie === null) return { place: -1, pin: null };
    const place = pinKey === null ? null : new Pins(config.name, plan.pinEpoch ?? 0, this.#places, pinKey).placeOf(cookie);
    if (place === null) return { place: -1, pin: 'void' };
    const targets = this.#places[place]?.targets.flatMap((index) => plan.targets[index] ?? []) ?? [];
    if (!targets.some((target) => this.#isUp(target))) return { place, pin: 'broken' };
    return { place, pin: this.#empty[place] === true && this.#config.onZero === 'evict' ? 'evicted' : 'kept' };
  }

  /** Among the targets of the place by their effective shares; evenly over what is up where it has none. */
  #chosen(choice: ExplainedChoice, indices: readonly number[]): Choice {
    const { targets } = this.#facts.plan;
    const members = indices.flatMap((index) => targets[index] ?? []);
    const total = members.reduce((sum, { effective }) => sum + effective, 0);
    const up = members.filter((target) => this.#isUp(target)).length;
    const probabilities = targets.map((target, index) => {
      if (!indices.includes(index)) return 0;
      if (indices.length === 1) return 1;
      return total > 0 ? target.effective / total : this.#isUp(target) ? 1 / up : 0;
    });
    return { choice, probabilities };
  }

  /** Up by health, whatever its weight, as the controller knows it. */
  #isUp({ cluster, reasons }: PlanTarget): boolean {
    if (reasons.includes('maintenance') || reasons.includes('target_ejected')) return false;
    return this.#facts.health.clusters[cluster]?.state !== 'down';
  }

  #nameOf(place: number): string {
    return this.#places[place]?.name ?? '';
  }
}

/** The whole of requests that are refused before any place is chosen, and of those that find none. */
export function lostOf({ lost, shed }: ServicePlan): number {
  return (lost - shed) / MILLION;
}

function keyText(key: NonNullable<StickyConfig['key']>): string {
  return key.kind === 'address' ? 'address' : `${key.kind}:${key.name}`;
}
