// What becomes of requests that no place has capacity for: sent all the same, or refused, the lowest priority class first. Pure.
import { MILLION, PRIORITY_CLASSES, type PriorityClass } from '../config/config.ts';
import { type Loads, NOTHING } from './loads.ts';
import type { ClassDemandView } from './plan-shape.ts';

/** What the classes are of a service's requests, in millionths; all `normal` where nothing is known. */
export type ClassShares = Readonly<Partial<Record<PriorityClass, number>>>;

const UNKNOWN: ClassShares = { normal: MILLION };

export function classShares(demand: ClassDemandView[string] | undefined): ClassShares {
  const rates = PRIORITY_CLASSES.map((name) => ({ name, rps: rate(demand?.[name]) })).filter(({ rps }) => rps > 0);
  const total = rates.reduce((sum, { rps }) => sum + rps, 0);
  if (total === 0) return UNKNOWN;
  return Object.fromEntries(rates.map(({ name, rps }) => [name, Math.round((rps / total) * MILLION)]));
}

/** Of each class, the part that is refused when `shed` millionths of the service are: the lowest class as a whole before any of the next. */
export function shedByClass(shed: number, classes: ClassShares): Readonly<Record<PriorityClass, number>> {
  const parts = { critical: 0, high: 0, normal: 0, low: 0 };
  let left = shed;
  for (const name of [...PRIORITY_CLASSES].reverse()) {
    const share = classes[name] ?? 0;
    const refused = Math.min(left, share);
    if (share > 0) parts[name] = refused / share;
    left -= refused;
  }
  return parts;
}

/**
 * Gives what has no place back to where it was (`spread`), else refuses it. Requests per second that are refused, and that are lost
 * although they would have been spread, by service.
 */
export function settleOverload(loads: Loads, rest: Float64Array, classDemand: ClassDemandView): OverloadResult {
  const shed = new Float64Array(loads.drafts.length);
  const lost = new Float64Array(loads.drafts.length);
  for (let version = 0; version < rest.length; version += 1) {
    const amount = rest[version] ?? 0;
    if (amount <= NOTHING) continue;
    const service = loads.versionOwner[version] ?? 0;
    if (loads.drafts[service]?.overload === 'spread') lost[service] = (lost[service] ?? 0) + returnHome(loads, version, amount);
    else shed[service] = (shed[service] ?? 0) + amount;
  }
  if (Object.keys(classDemand).length > 0 && shed.some((rps) => rps > NOTHING)) preferHigherClasses(loads, shed, classDemand);
  return { shed, lost };
}

export interface OverloadResult {
  readonly shed: Float64Array;
  readonly lost: Float64Array;
}

/** A place that still stands keeps its own share, whatever its capacity. What is left has no place. */
function returnHome(loads: Loads, version: number, amount: number): number {
  const service = loads.versionOwner[version] ?? 0;
  let rooms = 0;
  const roomOf = (target: number): number =>
    loads.version[target] === version ? Math.max(0, (loads.own[target] ?? 0) - (loads.load[target] ?? 0)) : 0;
  const [from, to] = [loads.start[service] ?? 0, loads.start[service + 1] ?? 0];
  for (let target = from; target < to; target += 1) rooms += roomOf(target);
  if (rooms <= NOTHING) return amount;
  const part = Math.min(1, amount / rooms);
  for (let target = from; target < to; target += 1) loads.add(target, roomOf(target) * part);
  return amount - rooms * part;
}

/** By service and class, requests per second that are served and refused. */
interface Admission {
  readonly served: number[];
  readonly refused: number[];
}

/** Where a service refuses requests of a class while another one's of a lower class are served in the same cluster, they change places. */
function preferHigherClasses(loads: Loads, shed: Float64Array, classDemand: ClassDemandView): void {
  const admissions = loads.drafts.map(({ service, overload }, index) =>
    overload === 'shed' ? admissionOf(loads.demand[index] ?? 0, shed[index] ?? 0, classShares(classDemand[service])) : null,
  );
  for (let level = 0; level < PRIORITY_CLASSES.length - 1; level += 1) {
    for (const [service, admission] of admissions.entries()) {
      if (admission === null || (admission.refused[level] ?? 0) <= NOTHING) continue;
      for (let target = loads.start[service] ?? 0; target < (loads.start[service + 1] ?? 0); target += 1)
        if ((loads.claim[target] ?? 0) > 0) takeOver(loads, admissions, { target, level, shed });
    }
  }
}

function admissionOf(demand: number, shed: number, classes: ClassShares): Admission {
  const refused = shedByClass(demand === 0 ? 0 : (shed / demand) * MILLION, classes);
  const of = PRIORITY_CLASSES.map((name) => ({ rps: (demand * (classes[name] ?? 0)) / MILLION, part: refused[name] }));
  return { served: of.map(({ rps, part }) => rps * (1 - part)), refused: of.map(({ rps, part }) => rps * part) };
}

interface Wanting {
  readonly target: number;
  readonly level: number;
  readonly shed: Float64Array;
}

function takeOver(loads: Loads, admissions: readonly (Admission | null)[], { target, level, shed }: Wanting): void {
  const service = loads.service[target] ?? 0;
  const gains = admissions[service];
  if (gains === null || gains === undefined) return;
  for (const victim of loads.byCluster()[loads.cluster[target] ?? 0] ?? []) {
    const other = loads.service[victim] ?? 0;
    const loses = admissions[other];
    if (other === service || loses === null || loses === undefined || !loads.spills(victim)) continue;
    for (let lower = PRIORITY_CLASSES.length - 1; lower > level; lower -= 1) {
      const amount = Math.min(gains.refused[level] ?? 0, loses.served[lower] ?? 0, loads.load[victim] ?? 0);
      if (amount <= NOTHING) continue;
      loads.add(victim, -amount);
      loads.add(target, amount);
      change(loses, lower, -amount);
      change(gains, level, amount);
      shed[other] = (shed[other] ?? 0) + amount;
      shed[service] = (shed[service] ?? 0) - amount;
    }
  }
}

function change({ served, refused }: Admission, level: number, by: number): void {
  served[level] = (served[level] ?? 0) + by;
  refused[level] = (refused[level] ?? 0) - by;
}

function rate(rps: number | undefined): number {
  return rps !== undefined && Number.isFinite(rps) && rps > 0 ? rps : 0;
}
