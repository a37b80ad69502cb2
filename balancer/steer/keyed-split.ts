// Chooses places by a key: the same place for the same key in every process, with nothing remembered and nobody asked. Pure.
import { MILLION } from '../config/config.ts';
import { hash32, keyPoint } from '../message/key-hash.ts';

/** A place that keys can have. */
export interface KeyedPlace {
  /** Orders the intervals, so that the order of the file moves nobody. */
  readonly name: string;
  /** Keys that have to leave go to places of the same group first. */
  readonly group: string;
}

/** Where keys go whose share is lost. */
export const NOWHERE = -1;

/** Keys that leave are drawn apart from where they are at home. */
const LEAVING = 0x1eaf_0ff5;

interface Move {
  readonly to: number;
  /** Of those that leave, the part up to here; ascending to 1. */
  readonly upTo: number;
}

interface Home {
  /** Where its interval ends, in millionths. */
  readonly end: number;
  readonly index: number;
  /** The part of its keys that stays. */
  readonly stays: number;
  readonly moves: readonly Move[];
}

/**
 * point = hash64(salt, key) / 2^64; a key is at home in the interval of the cumulative desired shares that holds its point. So raising
 * the last of two places from 5 % to 10 % moves exactly the keys that are added. Where health or capacity gives a place less than its
 * desired share, a part of its keys, drawn by a second hash, goes where the plan gives more: keys of other places stay, and those
 * that left come back when it recovers.
 */
export class KeyedSplit {
  readonly #places: readonly KeyedPlace[];
  readonly #order: readonly number[];
  readonly #salt: number;
  #homes: readonly Home[] = [];
  #total = 0;

  constructor(places: readonly KeyedPlace[], salt: string) {
    this.#places = places;
    this.#salt = hash32(salt, 0);
    this.#order = places.map((_, index) => index).sort((a, b) => compare(places[a]?.name ?? '', places[b]?.name ?? ''));
  }

  /** Millionths by place: as the intent has them, and as they can be met now. What `effective` lacks of `desired` is lost. */
  setShares(desired: readonly number[], effective: readonly number[]): void {
    const flows = flowsOf(this.#places, desired, effective);
    let end = 0;
    this.#homes = this.#order.map((index) => {
      const share = desired[index] ?? 0;
      end += share;
      const stays = share === 0 ? 1 : Math.min(1, (effective[index] ?? 0) / share);
      return { end, index, stays, moves: stays < 1 ? movesOf(flows[index] ?? [], share * (1 - stays)) : [] };
    });
    this.#total = end;
  }

  /** The index of the place of this key; NOWHERE when its share is lost, or no place has one. */
  place(key: string): number {
    const point = this.point(key) * this.#total;
    for (const home of this.#homes) {
      if (point >= home.end) continue;
      return home.stays >= 1 ? home.index : this.#leave(home, key);
    }
    return NOWHERE;
  }

  /** 0 to 1: where the key is in the line of all desired shares. */
  point(key: string): number {
    return keyPoint(this.#salt, key);
  }

  #leave({ index, stays, moves }: Home, key: string): number {
    const point = keyPoint(this.#salt ^ LEAVING, key);
    if (point < stays) return index;
    const lot = (point - stays) / (1 - stays);
    for (const { to, upTo } of moves) if (lot < upTo) return to;
    return NOWHERE;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Millionths that go from a place that has too little to one that is given more: within the group first, then anywhere. */
function flowsOf(places: readonly KeyedPlace[], desired: readonly number[], effective: readonly number[]): readonly number[][] {
  const flows = places.map(() => places.map(() => 0));
  const lack = places.map((_, index) => Math.max(0, (desired[index] ?? 0) - (effective[index] ?? 0)));
  const room = places.map((_, index) => Math.max(0, (effective[index] ?? 0) - (desired[index] ?? 0)));
  const groups: ((place: KeyedPlace) => boolean)[] = [...new Set(places.map(({ group }) => group))].map(
    (group) => (place) => place.group === group,
  );
  for (const isMember of [...groups, () => true]) {
    const members = places.flatMap((place, index) => (isMember(place) ? [index] : []));
    const lacks = members.reduce((sum, index) => sum + (lack[index] ?? 0), 0);
    const rooms = members.reduce((sum, index) => sum + (room[index] ?? 0), 0);
    const moved = Math.min(lacks, rooms);
    if (moved === 0) continue;
    for (const from of members)
      for (const to of members)
        (flows[from] ?? [])[to] = (flows[from]?.[to] ?? 0) + ((lack[from] ?? 0) * (room[to] ?? 0) * moved) / (lacks * rooms);
    for (const index of members) {
      lack[index] = (lack[index] ?? 0) * (1 - moved / lacks);
      room[index] = (room[index] ?? 0) * (1 - moved / rooms);
    }
  }
  return flows;
}

function movesOf(flow: readonly number[], leaving: number): readonly Move[] {
  let sum = 0;
  const moves: Move[] = [];
  for (const [to, amount] of flow.entries()) {
    if (amount === 0) continue;
    sum += amount;
    moves.push({ to, upTo: sum / leaving });
  }
  // Nothing is lost for what doubles round to.
  const last = moves.at(-1);
  return last !== undefined && last.upTo > 1 - 1 / MILLION ? [...moves.slice(0, -1), { ...last, upTo: 1 }] : moves;
}
