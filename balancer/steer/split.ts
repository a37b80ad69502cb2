// Chooses targets so that after every single request each has its share, to within one request, from the first request on.
import type { Random } from '../../health/clock.ts';

/** Of the phase that the smallest target leaves, this part is spread over the targets between the smallest and the largest. */
const BETWEEN = 0.25;

/** Keeps the sum of all phases below 1, which the schedule needs, whatever doubles round to. */
const BELOW_ONE = 1 - 2 ** -20;

/** The place of a process among those that split the same traffic, from 0. */
export interface Stratum {
  readonly index: number;
  readonly of: number;
}

const ALONE: Stratum = { index: 0, of: 1 };

/**
 * Low-discrepancy choice among weights, random in phase so that many processes together have the right shares too, long before
 * each of them alone has sent enough to show them.
 *
 * With w = weight / total, target i must have been chosen at least floor(n*w + phase) times after n choices, and fewer than n*w + 1
 * times. Read as jobs with a release and a deadline, this can be met as long as the phases sum to less than 1, and serving the
 * earliest deadline first meets it (Tijdeman, "The chairman assignment problem", 1980, has the same idea with fixed phases). So every
 * count is within 1 of its exact value at all times. With two targets the phases leave no choice: the sequence is
 * floor(n*w + phase), right in the mean from the first request.
 */
export class SplitChooser {
  readonly #random: Random;
  readonly #stratum: Stratum;
  #weights = new Float64Array(0);
  /** 1 / weight; unused where the weight is 0. */
  #inverses = new Float64Array(0);
  /** n*weight - total*chosen, whole numbers that sum to 0: how much a target is owed, a request being `#total`. */
  #owed = new Float64Array(0);
  /** What a target is owed at its deadline: (1 - phase) * total. */
  #dues = new Float64Array(0);
  #total = 0;

  /** `stratum`: which of several processes this one is; their phases are then spread evenly, and right together from the first requests on. */
  constructor(weights: readonly number[], random: Random, stratum: Stratum = ALONE) {
    this.#random = random;
    this.#stratum = stratum;
    this.setWeights(weights);
  }

  /** The index of the next target; -1 when no weight is positive. Weight 0 is never chosen. */
  next(): number {
    const weights = this.#weights;
    const owed = this.#owed;
    let best = -1;
    let earliest = Infinity;
    for (let index = 0; index < weights.length; index += 1) {
      const weight = weights[index] ?? 0;
      if (weight === 0) continue;
      const due = (owed[index] ?? 0) + weight;
      owed[index] = due;
      if (due <= 0) continue;
      const deadline = ((this.#dues[index] ?? 0) - due) * (this.#inverses[index] ?? 0);
      if (deadline < earliest) {
        earliest = deadline;
        best = index;
      }
    }
    if (best !== -1) owed[best] = (owed[best] ?? 0) - this.#total;
    return best;
  }

  /**
   * Goes on with other weights, whole numbers. What targets are owed is carried over, so that changes, however frequent, starve nobody;
   * what a target is owed that now has weight 0 goes to the others. A target that had weight 0 starts at a random phase of its own.
   */
  setWeights(weights: readonly number[]): void {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const samePositive =
      weights.length === this.#weights.length && weights.every((weight, index) => weight > 0 === (this.#weights[index] ?? 0) > 0);
    const phases = samePositive ? this.#phases() : drawPhases(weights, this.#random, this.#stratum);
    const owed = carryOver(weights, total, { owed: this.#owed, total: this.#total });
    this.#weights = Float64Array.from(weights);
    this.#inverses = this.#weights.map((weight) => (weight === 0 ? 0 : 1 / weight));
    this.#owed = owed;
    this.#total = total;
    this.#dues = Float64Array.from(phases, (phase) => (1 - phase) * total);
  }

  #phases(): readonly number[] {
    return Array.from(this.#dues, (due) => (this.#total === 0 ? 0 : 1 - due / this.#total));
  }
}

/**
 * Phases that sum to just under 1. The smallest target, which would starve longest, has one that is uniform in [0, 1): over many
 * processes its first request comes as early as its share says. Equal weights are put in random order.
 */
function drawPhases(weights: readonly number[], random: Random, { index: place, of }: Stratum): readonly number[] {
  const phases = weights.map(() => 0);
  const order = weights
    .map((weight, index) => ({ weight, index, lot: random() }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => a.weight - b.weight || a.lot - b.lot);
  const smallest = order.shift();
  const largest = order.pop();
  if (smallest === undefined) return phases;
  const first = ((place + random()) / of) * BELOW_ONE;
  phases[smallest.index] = first;
  if (largest === undefined) return phases;
  const between = order.length === 0 ? 0 : BETWEEN;
  phases[largest.index] = (BELOW_ONE - first) * (1 - between);
  const lots = order.reduce((sum, { lot }) => sum + lot, 0);
  for (const { index, lot } of order) phases[index] = lots === 0 ? 0 : ((BELOW_ONE - first) * between * lot) / lots;
  return phases;
}

interface Balance {
  readonly owed: Float64Array;
  readonly total: number;
}

/** What is owed in the new unit, whole numbers that sum to 0 over the targets with weight. */
function carryOver(weights: readonly number[], total: number, before: Balance): Float64Array<ArrayBuffer> {
  const owed = new Float64Array(weights.length);
  if (before.total === 0 || total === 0) return owed;
  let sum = 0;
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue;
    owed[index] = Math.round(((before.owed[index] ?? 0) * total) / before.total);
    sum += owed[index] ?? 0;
  }
  // The imbalance is what targets were owed that have no weight any more; the others take it over by weight.
  let left = -sum;
  let last = -1;
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue;
    const part = Math.round((-sum * weight) / total);
    owed[index] = (owed[index] ?? 0) + part;
    left -= part;
    last = index;
  }
  if (last !== -1) owed[last] = (owed[last] ?? 0) + left;
  return owed;
}
