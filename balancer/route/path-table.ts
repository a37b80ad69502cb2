// The routes of one host by path: exact before pattern before prefix, longer prefixes first.
import type { PathMatch } from '../config/config.ts';
import { PrefixTable, type OwnedKey } from './boundary-table.ts';
import { asksNothing, byRank, compileTextTest, holds, type Candidate, type RoutableRequest } from './conditions.ts';
import { isStep } from './steps.ts';

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

  private constructor(parts: {
    readonly narrow: readonly (NarrowRoutes | null)[];
    readonly prefixes: PrefixTable;
    readonly byPrefix: readonly (readonly Candidate[])[];
  }) {
    this.#narrow = parts.narrow;
    this.#prefixes = parts.prefixes;
    this.#byPrefix = parts.byPrefix;
    this.#unconditional = Int32Array.from(parts.byPrefix, ([first]) => (first !== undefined && asksNothing(first) ? first.index : -1));
  }

  static *of(hosts: Iterable<readonly PlacedCandidate[]>): Generator<undefined, PathTable> {
    const narrow: (NarrowRoutes | null)[] = [];
    const keys: OwnedKey[] = [];
    const byPrefix: (readonly Candidate[])[] = [];
    for (const placed of hosts) {
      const owner = narrow.length;
      const { exact, patterns, prefixes } = byKind(placed);
      narrow.push(exact.size === 0 && patterns.length === 0 ? null : { exact, patterns });
      for (const [prefix, candidates] of prefixes) {
        keys.push({ owner, key: prefix === '/' ? '' : prefix });
        byPrefix.push(candidates);
      }
      if (isStep(owner)) yield;
    }
    return new PathTable({ narrow, prefixes: yield* PrefixTable.of(keys), byPrefix });
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

interface ByKind extends NarrowRoutes {
  readonly prefixes: ReadonlyMap<string, readonly Candidate[]>;
}

function byKind(placed: readonly PlacedCandidate[]): ByKind {
  const exact = new Map<string, Candidate[]>();
  const prefixes = new Map<string, Candidate[]>();
  const patterns: PatternCandidate[] = [];
  for (const { path, candidate } of placed) {
    if (path.kind === 'regex') patterns.push({ test: compileTextTest(path.value), candidate });
    else add(path.kind === 'exact' ? exact : prefixes, path.value, candidate);
  }
  for (const groups of [exact, prefixes]) for (const group of groups.values()) if (group.length > 1) group.sort(byRank);
  return { exact, prefixes, patterns: patterns.sort((a, b) => byRank(a.candidate, b.candidate)) };
}

function add(groups: Map<string, Candidate[]>, value: string, candidate: Candidate): void {
  const group = groups.get(value);
  if (group === undefined) groups.set(value, [candidate]);
  else group.push(candidate);
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
