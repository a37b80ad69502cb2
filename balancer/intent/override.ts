// A change that returns by itself: which fields it holds, and until when. A part of the intent, so that whoever drives it next knows the deadline.
import { sameJson } from '../config/canonical-json.ts';
import type { AdminState, Intent, ServiceIntent, TimedChange } from './intent.ts';
import { withoutRollout } from './rollout.ts';

type Weights = Readonly<Record<string, number>>;

/** One field that an operator can set. */
export type Field =
  | { readonly kind: 'split'; readonly service: string }
  | { readonly kind: 'clusterWeights'; readonly service: string; readonly version: string }
  | { readonly kind: 'admin'; readonly cluster: string }
  | { readonly kind: 'dialPercent'; readonly cluster: string };

/** What it was before the first timed change of it, and as what it is held. */
export type HeldField =
  | (Extract<Field, { kind: 'split' | 'clusterWeights' }> & { readonly before: Weights; readonly held: Weights })
  | (Extract<Field, { kind: 'admin' }> & { readonly before: AdminState; readonly held: AdminState })
  | (Extract<Field, { kind: 'dialPercent' }> & { readonly before: number; readonly held: number });

export interface Override {
  /** ISO 8601, UTC. */
  readonly until: string;
  readonly fields: readonly HeldField[];
  /** Over how long it returns then. Absent: a cluster in the ramp that it has after a failure, all else at once. */
  readonly overMs?: number;
}

/** By the number of the revision that made each. */
export type Overrides = Readonly<Record<string, Override>>;

/** Its path in the intent. */
export function pathOf(field: Field): readonly string[] {
  switch (field.kind) {
    case 'split':
      return ['services', field.service, 'split'];
    case 'clusterWeights':
      return ['services', field.service, 'clusterWeights', field.version];
    case 'admin':
    case 'dialPercent':
      return ['clusters', field.cluster, field.kind];
  }
}

/** The field that a path is; null: it is none of those. */
export function fieldAt([part, name = '', kind, version = '']: readonly string[]): Field | null {
  if (part === 'services' && kind === 'split') return { kind, service: name };
  if (part === 'services' && kind === 'clusterWeights') return { kind, service: name, version };
  return part === 'clusters' && (kind === 'admin' || kind === 'dialPercent') ? { kind, cluster: name } : null;
}

/** What a change is about, whether it is otherwise now or not. */
export function fieldsSetBy(change: TimedChange, { services }: Pick<Intent, 'services'>): readonly Field[] {
  switch (change.kind) {
    case 'shift':
      return [{ kind: 'split', service: change.service }];
    case 'shift_clusters': {
      const { service, percents } = change;
      const weights = Object.entries(services[service]?.clusterWeights ?? {});
      return weights.flatMap(([version, clusters]) =>
        Object.keys(percents).some((cluster) => Object.hasOwn(clusters, cluster)) ? [{ kind: 'clusterWeights', service, version }] : [],
      );
    }
    case 'admin':
      return [{ kind: 'admin', cluster: change.cluster }];
    case 'dial':
      return [{ kind: 'dialPercent', cluster: change.cluster }];
  }
}

/** The field of `after`, held against what it was in `before`; null: it means the same in both, or is in one of them only. */
export function heldField(field: Field, before: Intent, after: Intent): HeldField | null {
  switch (field.kind) {
    case 'split':
    case 'clusterWeights': {
      const [old, now] = [weightsOf(field, before), weightsOf(field, after)];
      return old === undefined || now === undefined || sameMeaning(old, now) ? null : { ...field, before: old, held: now };
    }
    case 'admin': {
      const [old, now] = [before.clusters[field.cluster]?.admin, after.clusters[field.cluster]?.admin];
      return old === undefined || now === undefined || old === now ? null : { ...field, before: old, held: now };
    }
    case 'dialPercent': {
      const [old, now] = [before.clusters[field.cluster]?.dialPercent, after.clusters[field.cluster]?.dialPercent];
      return old === undefined || now === undefined || old === now ? null : { ...field, before: old, held: now };
    }
  }
}

/** Whether the intent has in it what the override holds. */
export function isHeld(field: HeldField, intent: Intent): boolean {
  switch (field.kind) {
    case 'split':
    case 'clusterWeights':
      return sameMeaning(weightsOf(field, intent), field.held);
    case 'admin':
      return intent.clusters[field.cluster]?.admin === field.held;
    case 'dialPercent':
      return intent.clusters[field.cluster]?.dialPercent === field.held;
  }
}

/** The intent with the field as it was. */
export function putBack(intent: Intent, field: HeldField): Intent {
  if (field.kind === 'admin' || field.kind === 'dialPercent') {
    const present = intent.clusters[field.cluster];
    if (present === undefined) return intent;
    const put = field.kind === 'admin' ? { ...present, admin: field.before } : { ...present, dialPercent: field.before };
    return { ...intent, clusters: { ...intent.clusters, [field.cluster]: put } };
  }
  const present = intent.services[field.service];
  if (present === undefined) return intent;
  const put: ServiceIntent =
    field.kind === 'split'
      ? { ...withoutRollout(present, 'the end of a timed shift'), split: membersOf(present.split, field.before) }
      : { ...present, clusterWeights: { ...present.clusterWeights, [field.version]: membersNow(present, field.version, field.before) } };
  return { ...intent, services: { ...intent.services, [field.service]: put } };
}

/** Without the overrides that hold something else than what is there now: whoever changed a field since has the say. */
export function withoutEndedOverrides(intent: Intent): Intent {
  if (intent.overrides === undefined) return intent;
  const kept = Object.entries(intent.overrides).filter(([, { fields }]) => fields.every((field) => isHeld(field, intent)));
  return withOverrides(intent, Object.fromEntries(kept));
}

export function withOverrides(intent: Intent, overrides: Overrides): Intent {
  const after: Intent = { ...intent, overrides };
  // None are not there.
  if (Object.keys(overrides).length === 0) Reflect.deleteProperty(after, 'overrides');
  return after;
}

/** A part of an intent: absent when there is none, so that an intent without overrides says nothing about them. */
export function overridesPart(overrides: Overrides): { readonly overrides?: Overrides } {
  return Object.keys(overrides).length === 0 ? {} : { overrides };
}

/** Whether two values of a field mean the same: a version that came or went at 0 changes nothing of a split. */
export function sameMeaning(one: unknown, other: unknown): boolean {
  return sameJson(withoutZeros(one), withoutZeros(other));
}

function weightsOf(field: Extract<Field, { kind: 'split' | 'clusterWeights' }>, { services }: Intent): Weights | undefined {
  const service = services[field.service];
  return field.kind === 'split' ? service?.split : service?.clusterWeights[field.version];
}

function membersNow({ clusterWeights }: ServiceIntent, version: string, before: Weights): Weights {
  return membersOf(clusterWeights[version] ?? {}, before);
}

/** What came since gets 0. */
function membersOf(present: Weights, before: Weights): Weights {
  return { ...Object.fromEntries(Object.keys(present).map((name) => [name, 0])), ...before };
}

function withoutZeros(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== 0));
}
