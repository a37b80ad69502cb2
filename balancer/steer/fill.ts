// Pours a whole number into places with room: by weight, and what one place cannot take goes to the others.
import { apportion } from '../intent/apportion.ts';

export interface Pour {
  readonly given: readonly number[];
  /** What no place with weight had room for. */
  readonly rest: number;
}

/** Parts are in proportion to the weights, except where a room ends first. Rooms are whole numbers or Infinity; weight 0 gets 0. */
export function fill(amount: number, weights: readonly number[], rooms: readonly number[]): Pour {
  const given = weights.map(() => 0);
  let rest = amount;
  while (rest > 0) {
    const open = weights.map((weight, index) => ((rooms[index] ?? 0) > (given[index] ?? 0) ? weight : 0));
    const parts = apportion(rest, open);
    let poured = 0;
    for (const [index, part] of parts.entries()) {
      const had = given[index] ?? 0;
      const taken = Math.min(part, (rooms[index] ?? 0) - had);
      if (taken <= 0) continue;
      given[index] = had + taken;
      poured += taken;
    }
    if (poured === 0) break;
    rest -= poured;
  }
  return { given, rest };
}
