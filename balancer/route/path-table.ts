// The routes of one host by path: exact before pattern before prefix, longer prefixes first.
import type { PathMatch } from '../config/config.ts';
import { PrefixTable } from './boundary-table.ts';
import { asksNothing, byRank, compileTextTest, holds, type Candidate, type RoutableRequest } from './conditions.ts';

export interface PlacedCandidate {
  readonly path: PathMatch;
  readonly candidate: Candidate;
}

interface PatternCandidate {
  readonly test: (path: string) => boolean;
  readonly candidate: Candidate;
}

/** What a host has besides prefixes; asked first, and by most hosts not at all. */
interface NarrowRoutes {
  readonly exact: ReadonlyMap<string, readonly Candidate[]>;
  /** All of one rank, whatever their text: first by their other conditions, then in the order of the file. */
  readonly patterns: readonly PatternCandidate[];
}

/** The routes of all hosts, which are numbers here. */
export class PathTable {
  readonly #narrow: readonly (NarrowRoutes | null)[];
  readonly #prefixes: PrefixTable;
  /** By prefix: the first of its routes when that asks for nothing more, else -1. */
  readonly #unconditional: Int32Array;
  readonly #byPrefix: readonly (readonly Candidate[])[];

  constructor(hosts: readonly (readonly PlacedCandidate[])[]) {
    this.#narrow = hosts.map(narrowRoutes);
    const prefixes = hosts.flatMap((placed, owner) =>
      [...grouped(placed, 'prefix')].map(([prefix, candidates]) => ({ owner, key: prefix === '/' ? '' : prefix, candidates })),
    );
    this.#prefixes = new PrefixTable(prefixes);
    this.#byPrefix = prefixes.map(({ candidates }) => candidates);
    this.#unconditional = Int32Array.from(this.#byPrefix, ([first]) => (first !== undefined && asksNothing(first) ? first.index : -1));
  }

  /** Index of the route, or -1. */
  match(host: number, request: RoutableRequest): number {
    const narrow = this.#narrow[host] ?? null;
    const found = narrow === null ? -1 : matchNarrow(narrow, request);
    return found >= 0 ? found : this.#matchPrefix(host, request);
  }

  #matchPrefix(host: number, request: RoutableRequest): number {
    const prefixes = this.#prefixes;
    for (let found = prefixes.collect(host, request.path) - 1; found >= 0; found -= 1) {
      const prefix = prefixes.at(found);
      const only = this.#unconditional[prefix] ?? -1;
      const index = only >= 0 ? only : firstThatHolds(this.#byPrefix[prefix], request);
      if (index >= 0) return index;
    }
    return -1;
  }
}

function narrowRoutes(placed: readonly PlacedCandidate[]): NarrowRoutes | null {
  const exact = grouped(placed, 'exact');
  const patterns = placed
    .filter(({ path }) => path.kind === 'regex')
    .map(({ path, candidate }) => ({ test: compileTextTest(path.value), candidate }))
    .sort((a, b) => byRank(a.candidate, b.candidate));
  return exact.size === 0 && patterns.length === 0 ? null : { exact, patterns };
}

function matchNarrow({ exact, patterns }: NarrowRoutes, request: RoutableRequest): number {
  const index = exact.size === 0 ? -1 : firstThatHolds(exact.get(request.path), request);
  if (index >= 0) return index;
  // The pattern last: the other conditions cost less.
  for (const { test, candidate } of patterns) if (holds(candidate, request) && test(request.path)) return candidate.index;
  return -1;
}

function firstThatHolds(candidates: readonly Candidate[] | undefined, request: RoutableRequest): number {
  if (candidates === undefined) return -1;
  for (const candidate of candidates) if (holds(candidate, request)) return candidate.index;
  return -1;
}

function grouped(placed: readonly PlacedCandidate[], kind: PathMatch['kind']): ReadonlyMap<string, readonly Candidate[]> {
  const groups = Map.groupBy(
    placed.filter(({ path }) => path.kind === kind),
    ({ path }) => path.value,
  );
  return new Map([...groups].map(([value, group]) => [value, group.map(({ candidate }) => candidate).sort(byRank)]));
}
