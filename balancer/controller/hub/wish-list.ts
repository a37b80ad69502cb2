// What this host wishes for of the clusters: that nothing new comes to those that are drained, and what operators said or changes will bring. The
// latter is kept over a restart, as a minimum that was raised would go back too early otherwise.
import { createHash } from 'node:crypto';
import { DIALOGUE_LIMITS, type Wish } from '../../../agent/dialogue.ts';
import type { Clock } from '../../../health/clock.ts';
import type { Store } from '../../store/store.ts';

/** "So many requests per second of a service will come to the cluster." Times on the wall clock, as they outlive the process. */
export interface Expectation {
  readonly id: string;
  readonly cluster: string;
  readonly service: string;
  readonly rps: number;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** What brings them, for people; absent: an operator has said so. */
  readonly cause?: string;
  /** Of what is still to come: its name, the same on all hosts. */
  readonly due?: string;
}

/** One that the program has made. */
export type ForeseenExpectation = Expectation & { readonly cause: string };

export interface Drained {
  /** Null: until an operator says so. */
  readonly endsAtMs: number | null;
}

/** What is wished for of one cluster, with times on the wall clock. */
export type ListedWish =
  | (Expectation & { readonly kind: 'prescale' })
  | { readonly kind: 'drain'; readonly id: string; readonly startsAtMs: number; readonly endsAtMs: number | null };

const KEY = 'agent-expectations';
/** Of one cluster, that operators have said and that changes bring; with a drain as many as a message may hold. */
const MOST_SAID = 32;
const MOST_FORESEEN = DIALOGUE_LIMITS.wishes - MOST_SAID - 1;

export class WishList {
  readonly #store: Pick<Store, 'getValue' | 'putDurably'>;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #drained: (cluster: string) => Drained | null;
  #expectations: readonly Expectation[];

  constructor(
    store: Pick<Store, 'getValue' | 'putDurably'>,
    clock: Pick<Clock, 'wallMs'>,
    /** Null: the cluster takes what comes. */
    drained: (cluster: string) => Drained | null,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#drained = drained;
    this.#expectations = read(store.getValue(KEY));
  }

  /** Replaces what was expected of the same service in the same cluster; what operators say and what changes bring stand beside each other. False: there are too many. */
  expect(expectation: Expectation): boolean {
    const { cluster, service } = expectation;
    const same = (one: Expectation): boolean => (one.cause === undefined) === (expectation.cause === undefined);
    const others = this.#live().filter((one) => one.cluster !== cluster || one.service !== service || !same(one));
    const most = expectation.cause === undefined ? MOST_SAID : MOST_FORESEEN;
    if (others.filter((one) => one.cluster === cluster && same(one)).length >= most) return false;
    this.#keep([...others, expectation]);
    return true;
  }

  /** Takes back what was expected of a cluster, of one service or of all (null). Returns how many. */
  withdraw(cluster: string, service: string | null): number {
    const live = this.#live();
    const rest = live.filter((one) => one.cluster !== cluster || (service !== null && one.service !== service));
    if (rest.length < live.length) this.#keep(rest);
    return live.length - rest.length;
  }

  /** What changes bring, in all clusters. */
  foreseen(): readonly ForeseenExpectation[] {
    return this.#live().filter((one): one is ForeseenExpectation => one.cause !== undefined);
  }

  /** Takes back one of them. */
  drop({ id, cluster }: ForeseenExpectation): void {
    this.#keep(this.#live().filter((one) => one.id !== id || one.cluster !== cluster));
  }

  of(cluster: string): readonly ListedWish[] {
    const expected = this.#live().filter((one) => one.cluster === cluster);
    const drained = this.#drained(cluster);
    const wishes: ListedWish[] = expected.map((one) => ({ ...one, kind: 'prescale' }));
    if (drained !== null) wishes.push({ kind: 'drain', id: 'drain', startsAtMs: 0, endsAtMs: drained.endsAtMs });
    return wishes;
  }

  #live(): readonly Expectation[] {
    const wallMs = this.#clock.wallMs();
    return this.#expectations.filter(({ endsAtMs }) => wallMs < endsAtMs);
  }

  #keep(expectations: readonly Expectation[]): void {
    this.#store.putDurably(KEY, JSON.stringify(expectations));
    this.#expectations = expectations;
  }
}

/** As it goes over the wire: spans from now. */
export function wishOf(listed: ListedWish, wallMs: number): Wish {
  const { id } = listed;
  if (listed.kind === 'drain')
    return { kind: 'drain', id, endsInMs: listed.endsAtMs === null ? null : Math.max(0, listed.endsAtMs - wallMs) };
  const { service, rps, startsAtMs, endsAtMs } = listed;
  return { kind: 'prescale', id, service, rps, inMs: Math.max(0, startsAtMs - wallMs), endsInMs: Math.max(0, endsAtMs - wallMs) };
}

export function textOf(listed: ListedWish): string {
  if (listed.kind === 'drain') return 'nothing new comes';
  return `expect ${listed.rps} requests/s of ${listed.service}${listed.cause === undefined ? '' : ` (${listed.cause})`}`;
}

/** Of an expectation: the same on all hosts for the same cause, so that an agent that several hosts tell counts it once. */
export function wishId(cause: string, service: string): string {
  const id = `${service}-${cause}`;
  return id.length <= LONGEST_ID
    ? id
    : createHash('sha256')
        .update(id)
        .digest('hex')
        .slice(0, LONGEST_ID / 2);
}

/** As agents read it. */
const LONGEST_ID = 64;

/** Nothing, where the text is damaged: a minimum that then goes back early costs less than a host that does not start. */
function read(text: string | null): readonly Expectation[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isExpectation) : [];
  } catch {
    return [];
  }
}

function isExpectation(value: unknown): value is Expectation {
  if (typeof value !== 'object' || value === null) return false;
  const member = (name: keyof Expectation): unknown => Reflect.get(value, name);
  const texts = [member('id'), member('cluster'), member('service'), member('cause') ?? '', member('due') ?? ''];
  const numbers = [member('rps'), member('startsAtMs'), member('endsAtMs')];
  return texts.every((one) => typeof one === 'string') && numbers.every((one) => typeof one === 'number');
}
