// What the clients of all hosts ask for: this host's own figures and those that the others have told. Pure.
import type { HostDemand } from './presence.ts';

type PerName = Readonly<Record<string, number>>;
type PerNames = Readonly<Record<string, PerName>>;

/** Requests per second by name, of all hosts together. */
export function sumOf(own: PerName, others: readonly PerName[]): PerName {
  if (others.length === 0) return own;
  const sum: Record<string, number> = { ...own };
  for (const other of others) for (const [name, rps] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + rps;
  return sum;
}

/** The same, one level deeper. */
export function sumOfEach(own: PerNames, others: readonly PerNames[]): PerNames {
  if (others.length === 0) return own;
  const names = new Set([own, ...others].flatMap((each) => Object.keys(each)));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      sumOf(
        own[name] ?? {},
        others.map((other) => other[name] ?? {}),
      ),
    ]),
  );
}

export const NO_DEMAND: HostDemand = { demand: {}, assigned: {}, classDemand: {}, regionDemand: {} };

export function sumOfDemands(all: readonly HostDemand[]): HostDemand {
  return {
    demand: sumOf(
      {},
      all.map(({ demand }) => demand),
    ),
    assigned: sumOf(
      {},
      all.map(({ assigned }) => assigned),
    ),
    classDemand: sumOfEach(
      {},
      all.map(({ classDemand }) => classDemand),
    ),
    regionDemand: sumOfEach(
      {},
      all.map(({ regionDemand }) => regionDemand),
    ),
  };
}

/** What is left of a sum without one of its parts. */
export function demandWithout(sum: HostDemand, part: HostDemand): HostDemand {
  return {
    demand: without(sum.demand, part.demand),
    assigned: without(sum.assigned, part.assigned),
    classDemand: withoutEach(sum.classDemand, part.classDemand),
    regionDemand: withoutEach(sum.regionDemand, part.regionDemand),
  };
}

function without(sum: PerName, part: PerName): Record<string, number> {
  return Object.fromEntries(Object.entries(sum).map(([name, rps]) => [name, Math.max(0, rps - (part[name] ?? 0))]));
}

function withoutEach(sums: PerNames, parts: PerNames): Record<string, Record<string, number>> {
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, without(sum, parts[name] ?? {})]));
}

/** As it is told to others: what is 0 is left out, and three digits are what a measurement of five seconds knows. */
export function toldDemand({ demand, assigned, classDemand, regionDemand }: HostDemand): HostDemand {
  return {
    demand: nonZero(demand),
    assigned: nonZero(assigned),
    classDemand: nonZeroEach(classDemand),
    regionDemand: nonZeroEach(regionDemand),
  };
}

/** A sum of what was told: as many digits as such sums have, and not those that adding makes up. */
export function toldSum({ demand, assigned, classDemand, regionDemand }: HostDemand): HostDemand {
  return {
    demand: nonZero(demand, DIGITS_OF_SUMS),
    assigned: nonZero(assigned, DIGITS_OF_SUMS),
    classDemand: nonZeroEach(classDemand, DIGITS_OF_SUMS),
    regionDemand: nonZeroEach(regionDemand, DIGITS_OF_SUMS),
  };
}

const DIGITS = 3;
const DIGITS_OF_SUMS = 6;

function nonZero(perName: PerName, digits = DIGITS): Record<string, number> {
  return Object.fromEntries(
    Object.entries(perName)
      .filter(([, rps]) => rps > 0)
      .map(([name, rps]) => [name, Number(rps.toPrecision(digits))]),
  );
}

function nonZeroEach(perNames: PerNames, digits = DIGITS): Record<string, Record<string, number>> {
  const entries = Object.entries(perNames).map(([name, perName]) => [name, nonZero(perName, digits)] as const);
  return Object.fromEntries(entries.filter(([, perName]) => Object.keys(perName).length > 0));
}
