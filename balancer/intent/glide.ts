// A change that comes little by little: what a field was, what it is to be, and since when it is on its way. A part of the intent, so that where it is at a
// moment follows from intent and time alone: on every host the same, over restarts, without a write on the way. Pure.
import { MILLION } from '../config/config.ts';
import { sameJson } from '../config/canonical-json.ts';
import { apportion } from './apportion.ts';
import type { AdminState, ClusterIntent, Intent, Refusal, ServiceIntent } from './intent.ts';
import { pathOf, sameMeaning, type Field } from './override.ts';

type Weights = Readonly<Record<string, number>>;

/** The field stands in the intent as what it is to be (`to`): whoever changes it there ends the glide. */
export type GlidingField =
  | (Extract<Field, { kind: 'split' | 'clusterWeights' }> & { readonly from: Weights; readonly to: Weights })
  /** `from`: how much of the cluster was open, 0 to 1. */
  | (Extract<Field, { kind: 'admin' }> & { readonly from: number; readonly to: AdminState })
  | (Extract<Field, { kind: 'dialPercent' }> & { readonly from: number; readonly to: number });

export interface Glide {
  /** ISO 8601, UTC. */
  readonly since: string;
  readonly overMs: number;
  readonly fields: readonly GlidingField[];
}

/** By the number of the revision that made each; a field is in one at most. */
export type Glides = Readonly<Record<string, Glide>>;

/** Over a day a rollout is the better way: it is watched. */
const LONGEST_MS = 86_400_000;
const SHORTEST_MS = 1000;

/** Why a time is none to glide over; null: it is one. */
export function wrongOver(overMs: number | undefined): Refusal | null {
  if (overMs === undefined || (overMs >= SHORTEST_MS && overMs <= LONGEST_MS)) return null;
  return { kind: 'usage', message: `over: expected a time from 1 s to 24 h, such as 10m, got ${overMs / 1000} s` };
}

/** `10m`, `1h30m`, `2.5s` */
export function overText(overMs: number): string {
  const units = [
    [Math.floor(overMs / 3_600_000), 'h'],
    [Math.floor(overMs / 60_000) % 60, 'm'],
    [(overMs % 60_000) / 1000, 's'],
  ] as const;
  return units.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('');
}

/** 0 to 1: how far it is at a moment. A clock that goes back takes it to its beginning at most. */
export function progressOf({ since, overMs }: Pick<Glide, 'since' | 'overMs'>, wallMs: number): number {
  if (overMs <= 0) return 1;
  return Math.min(1, Math.max(0, (wallMs - Date.parse(since)) / overMs));
}

export interface Glided {
  /** With every field where it is at the moment. */
  readonly intent: Intent;
  /** What has moved since the moment before. */
  readonly services: ReadonlySet<string>;
  readonly clusters: ReadonlySet<string>;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Where everything is at `wallMs`. `sinceMs`: the moment before; what had arrived by then has not moved. What does not glide is the same object as before. */
export function glided(intent: Intent, wallMs: number, sinceMs: number = wallMs): Glided {
  if (intent.glides === undefined) return { intent, services: NOBODY, clusters: NOBODY };
  const services: Record<string, ServiceIntent> = {};
  const clusters: Record<string, { dial?: number; open?: number }> = {};
  for (const glide of Object.values(intent.glides)) {
    if (progressOf(glide, sinceMs) >= 1) continue;
    const progress = progressOf(glide, wallMs);
    for (const field of glide.fields) {
      if (!isOnItsWay(field, intent)) continue;
      if (field.kind === 'split' || field.kind === 'clusterWeights') {
        const present = services[field.service] ?? intent.services[field.service];
        if (present !== undefined) services[field.service] = progress >= 1 ? present : placed(present, field, progress);
        continue;
      }
      const at = (clusters[field.cluster] ??= {});
      if (progress >= 1) continue;
      if (field.kind === 'dialPercent') at.dial = field.from + (field.to - field.from) * progress;
      else at.open = field.from + (openOf(field.to) - field.from) * progress;
    }
  }
  const [moving, turning] = [Object.keys(services), Object.keys(clusters)];
  if (moving.length + turning.length === 0) return { intent, services: NOBODY, clusters: NOBODY };
  const turned = Object.entries(clusters).flatMap(([name, at]) => {
    const present = intent.clusters[name];
    return present === undefined ? [] : [[name, turnedTo(present, at)] as const];
  });
  return {
    intent: {
      ...intent,
      services: moving.length === 0 ? intent.services : { ...intent.services, ...services },
      clusters: turning.length === 0 ? intent.clusters : { ...intent.clusters, ...Object.fromEntries(turned) },
    },
    services: new Set(moving),
    clusters: new Set(turning),
  };
}

/** Where everything is at a moment; not known when it is: where it goes. */
export function glidedIntent(intent: Intent, wallMs: number | undefined): Intent {
  return wallMs === undefined ? intent : glided(intent, wallMs).intent;
}

/**
 * `after` with the fields that a change sets. Over a time, they begin where they are now; without one they are there at once, whatever was on its way. In
 * shares the way is a straight line, to the millionth.
 */
export function withGlide(
  before: Intent,
  after: Intent,
  sets: readonly Field[],
  { overMs, wallMs }: { readonly overMs: number | undefined; readonly wallMs: number | undefined },
): Intent {
  const others = withoutGlidesOf(after, sets);
  if (overMs === undefined || wallMs === undefined) return others;
  const fields = sets.map((field) => glidingField(field, { before, after, wallMs })).filter((field) => field !== null);
  if (fields.length === 0) return others;
  const glide: Glide = { since: new Date(wallMs).toISOString(), overMs, fields };
  return { ...others, glides: { ...others.glides, [String(before.revision + 1)]: glide } };
}

/** Without those whose field is something else by now, and without those that have arrived; `wallMs` undefined: these stay. */
export function withoutEndedGlides(intent: Intent, wallMs?: number): Intent {
  return withFields(intent, (field, glide) => isOnItsWay(field, intent) && (wallMs === undefined || progressOf(glide, wallMs) < 1));
}

/** A part of an intent: absent when there is none. */
export function glidesPart(glides: Glides | undefined): { readonly glides?: Glides } {
  return glides === undefined || Object.keys(glides).length === 0 ? {} : { glides };
}

function withoutGlidesOf(intent: Intent, fields: readonly Field[]): Intent {
  const paths = fields.map(pathOf);
  return withFields(intent, (field) => !paths.some((path) => sameJson(path, pathOf(field))));
}

/** Those fields that are wanted; the same intent when these are all. */
function withFields(intent: Intent, isWanted: (field: GlidingField, glide: Glide) => boolean): Intent {
  const { glides, ...others } = intent;
  if (glides === undefined) return intent;
  if (Object.values(glides).every((glide) => glide.fields.every((field) => isWanted(field, glide)))) return intent;
  const kept = Object.entries(glides).flatMap(([id, glide]) => {
    const fields = glide.fields.filter((field) => isWanted(field, glide));
    return fields.length === 0 ? [] : [[id, { ...glide, fields }] as const];
  });
  return { ...others, ...glidesPart(Object.fromEntries(kept)) };
}

function isOnItsWay(field: GlidingField, { services, clusters }: Intent): boolean {
  switch (field.kind) {
    case 'split':
      return sameMeaning(services[field.service]?.split, field.to);
    case 'clusterWeights':
      return sameMeaning(services[field.service]?.clusterWeights[field.version], field.to);
    case 'admin':
      return clusters[field.cluster]?.admin === field.to;
    case 'dialPercent':
      return clusters[field.cluster]?.dialPercent === field.to;
  }
}

interface Setting {
  readonly before: Intent;
  readonly after: Intent;
  readonly wallMs: number;
}

/** Null: it is there already, or there is no way between the two. */
function glidingField(field: Field, { before, after, wallMs }: Setting): GlidingField | null {
  switch (field.kind) {
    case 'split':
    case 'clusterWeights': {
      const from = weightsOf(field, glided(before, wallMs).intent);
      const to = weightsOf(field, after);
      if (from === undefined || to === undefined || sumOf(from) === 0 || sumOf(to) === 0 || sameMeaning(from, to)) return null;
      const { service } = field;
      return field.kind === 'split'
        ? { kind: 'split', service, from, to }
        : { kind: 'clusterWeights', service, version: field.version, from, to };
    }
    case 'admin': {
      const to = after.clusters[field.cluster]?.admin;
      const from = openNow(before, field.cluster, wallMs);
      return to === undefined || from === openOf(to) ? null : { kind: 'admin', cluster: field.cluster, from, to };
    }
    case 'dialPercent': {
      const to = after.clusters[field.cluster]?.dialPercent;
      const from = dialNow(before, field.cluster, wallMs);
      return to === undefined || from === to ? null : { kind: 'dialPercent', cluster: field.cluster, from, to };
    }
  }
}

/** The dial alone, whatever the admin state leaves of the cluster. */
export function dialNow(intent: Intent, cluster: string, wallMs = Infinity): number {
  const [field, progress] = onItsWay(intent, { kind: 'dialPercent', cluster }, wallMs);
  if (field?.kind === 'dialPercent') return rounded(field.from + (field.to - field.from) * progress);
  return intent.clusters[cluster]?.dialPercent ?? 100;
}

/** 0 to 1: what of a cluster its admin state leaves open. */
export function openNow(intent: Intent, cluster: string, wallMs: number): number {
  const [field, progress] = onItsWay(intent, { kind: 'admin', cluster }, wallMs);
  if (field?.kind === 'admin') return Number((field.from + (openOf(field.to) - field.from) * progress).toFixed(6));
  return openOf(intent.clusters[cluster]?.admin ?? 'active');
}

function onItsWay(intent: Intent, wanted: Field, wallMs: number): readonly [GlidingField | null, number] {
  for (const glide of Object.values(intent.glides ?? {})) {
    const field = glide.fields.find((one) => sameJson(pathOf(one), pathOf(wanted)));
    if (field !== undefined && isOnItsWay(field, intent)) return [field, progressOf(glide, wallMs)];
  }
  return [null, 1];
}

export function openOf(admin: AdminState): number {
  return admin === 'active' ? 1 : 0;
}

/** What is not open as a whole is active, and dialled down to what is open of it. */
function turnedTo(present: ClusterIntent, { dial, open }: { readonly dial?: number; readonly open?: number }): ClusterIntent {
  if (open === undefined) return dial === undefined ? present : { ...present, dialPercent: rounded(dial) };
  return { ...present, admin: 'active', dialPercent: rounded((dial ?? present.dialPercent) * open) };
}

function placed(present: ServiceIntent, field: Extract<GlidingField, { from: Weights }>, progress: number): ServiceIntent {
  if (field.kind === 'split') return { ...present, split: between(field.from, present.split, progress) };
  const to = present.clusterWeights[field.version] ?? {};
  return { ...present, clusterWeights: { ...present.clusterWeights, [field.version]: between(field.from, to, progress) } };
}

/** In millionths, among those that there are now; of those that are gone nothing is left to begin with. */
function between(from: Weights, to: Weights, progress: number): Weights {
  const names = Object.keys(to);
  const [begin, end] = [from, to].map((weights) => names.map((name) => weights[name] ?? 0));
  const [had, has] = [begin, end].map((parts) => (parts ?? []).reduce((sum, part) => sum + part, 0));
  if (begin === undefined || end === undefined || had === undefined || has === undefined || had === 0 || has === 0) return to;
  const parts = begin.map((part, index) => {
    const start = (part * MILLION) / had;
    return start + (((end[index] ?? 0) * MILLION) / has - start) * progress;
  });
  const whole = apportion(MILLION, parts);
  return Object.fromEntries(names.map((name, index) => [name, whole[index] ?? 0]));
}

function weightsOf(field: Extract<Field, { kind: 'split' | 'clusterWeights' }>, { services }: Intent): Weights | undefined {
  const service = services[field.service];
  return field.kind === 'split' ? service?.split : service?.clusterWeights[field.version];
}

function sumOf(weights: Weights): number {
  return Object.values(weights).reduce((sum, weight) => sum + weight, 0);
}

/** As fine as a percentage that is typed. */
function rounded(value: number): number {
  return Number(value.toFixed(4));
}
