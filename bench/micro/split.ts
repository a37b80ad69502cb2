// Micro bench of the split: what one exact choice costs by the number of targets, beside a plain random choice.
import { SplitChooser } from '../../balancer/steer/split.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

/** Shares are out of a million; these are as uneven as a canary makes them. */
function weightsOf(targets: number): readonly number[] {
  return Array.from({ length: targets }, (_, index) => (index === 0 ? 10_000 : Math.floor(990_000 / Math.max(1, targets - 1)) - index));
}

function exact(targets: number): MicroCase {
  const chooser = new SplitChooser(weightsOf(targets), Math.random);
  return {
    name: `exact, ${targets} targets`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) total += chooser.next();
      return total;
    },
  };
}

/** What most proxies do: a random number against the sums of the weights. */
function random(targets: number): MicroCase {
  const sums: number[] = [];
  for (const weight of weightsOf(targets)) sums.push((sums.at(-1) ?? 0) + weight);
  const whole = sums.at(-1) ?? 0;
  return {
    name: `random, ${targets} targets`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const point = Math.random() * whole;
        let index = 0;
        while (point >= (sums[index] ?? whole)) index += 1;
        total += index;
      }
      return total;
    },
  };
}

export const split: MicroSubject = {
  name: 'split',
  summary: 'choosing the target of a request',
  cases: () => [exact(2), exact(6), exact(24), random(2), random(6), random(24)],
};
