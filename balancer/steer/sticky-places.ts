// The places that clients of a service keep, what of its keys each has, and which of them a trusted peer names. Pure.
import { MILLION } from '../config/config.ts';
import type { StickyConfig } from '../config/sticky-config.ts';
import { fieldValue, type Fields } from '../message/fields.ts';
import type { KeyedPlace, KeyedSplit } from './keyed-split.ts';

/** A (version, cluster); it is known by its index. */
export interface StickyTarget {
  readonly version: string;
  readonly cluster: string;
}

/** A version, or a version in a cluster. */
export interface StickyPlace extends KeyedPlace {
  /** Indices of its targets. */
  readonly targets: readonly number[];
}

export interface StickyShares {
  /** Millionths by target, as the intent has them. */
  readonly desired: readonly number[];
  /** As they can be met now. */
  readonly effective: readonly number[];
  /** What is refused before any place is chosen. */
  readonly shed: number;
}

export function stickyPlaces(scope: StickyConfig['scope'], targets: readonly StickyTarget[]): readonly StickyPlace[] {
  if (scope === 'cluster')
    return targets.map(({ version, cluster }, index) => ({ name: `${version}/${cluster}`, group: version, targets: [index] }));
  const versions = [...new Set(targets.map(({ version }) => version))];
  return versions.map((name) => ({
    name,
    group: name,
    targets: targets.flatMap(({ version }, index) => (version === name ? [index] : [])),
  }));
}

/** Gives the places their keys. True for each that has no share at all: only who is pinned there still goes there. */
export function shareKeys(
  split: KeyedSplit,
  places: readonly StickyPlace[],
  { desired, effective, shed }: StickyShares,
): readonly boolean[] {
  // What is refused is refused before: the keys of the rest have all places that are left.
  const scale = shed >= MILLION ? 0 : MILLION / (MILLION - shed);
  const sumOf = ({ targets }: StickyPlace, shares: readonly number[]): number =>
    targets.reduce((sum, index) => sum + (shares[index] ?? 0), 0);
  const wanted = places.map((place) => sumOf(place, desired));
  const met = places.map((place) => sumOf(place, effective));
  split.setShares(
    wanted,
    met.map((share) => share * scale),
  );
  return places.map((_, index) => wanted[index] === 0 && met[index] === 0);
}

export interface Overriding {
  readonly fields: Readonly<Fields>;
  readonly peerTrusted: boolean;
}

/** What the header `override` says; undefined: nothing, or it comes from somebody who is not trusted. */
export function overrideOf({ override }: StickyConfig, { fields, peerTrusted }: Overriding): string | undefined {
  return override !== null && peerTrusted ? fieldValue(fields, override) : undefined;
}

/** Whether `VERSION` or `VERSION/CLUSTER` means this target. */
export function isNamed(asked: string, { version, cluster }: StickyTarget): boolean {
  return asked === version || asked === `${version}/${cluster}`;
}
