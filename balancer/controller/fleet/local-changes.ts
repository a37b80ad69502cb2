// What this host alone holds against the intent of its fleet, since it was asked to while it was cut off. The chain of the fleet knows nothing of it: it is
// laid over whatever the fleet's intent is, until somebody merges or discards it.
import { canonicalJson } from '../../config/canonical-json.ts';
import type { Intent, Revision, TouchedField } from '../../intent/intent.ts';
import { patchIntent } from '../../intent/patch.ts';
import { decodeIntent, decodeRevision } from '../../store/decode.ts';
import type { Store } from '../../store/store.ts';

export interface LocalChange {
  /** Counted on this host. */
  readonly number: number;
  /** As it would stand in the audit; its revision is that of the fleet which it was made on. */
  readonly record: Revision;
  /** What it holds, each whole. */
  readonly held: readonly TouchedField[];
  /** ISO 8601, UTC: then it is over by itself; null: it stays until somebody decides. */
  readonly until: string | null;
  /** What became of it; null: it is held. */
  readonly ended: string | null;
}

const KEY = 'local.changes';
/** Those that are over and can still be looked at. */
const KEPT = 50;

export class LocalChanges {
  readonly #store: Pick<Store, 'getValue' | 'putDurably'>;
  #all: readonly LocalChange[];
  /** The last intent that these were laid over, and what came of it. */
  #over: { readonly intent: Intent; readonly all: readonly LocalChange[]; readonly result: Intent } | null = null;

  constructor(store: Pick<Store, 'getValue' | 'putDurably'>) {
    this.#store = store;
    this.#all = decodeAll(store.getValue(KEY));
  }

  /** Oldest first, those that are over too. */
  get all(): readonly LocalChange[] {
    return this.#all;
  }

  /** Oldest first. */
  get held(): readonly LocalChange[] {
    return this.#all.filter(({ ended }) => ended === null);
  }

  /** The intent of the fleet, with what this host holds against it. */
  over(intent: Intent): Intent {
    const { held } = this;
    if (held.length === 0) return intent;
    if (this.#over?.intent === intent && this.#over.all === this.#all) return this.#over.result;
    const result = held.reduce(laidOver, intent);
    this.#over = { intent, all: this.#all, result };
    return result;
  }

  /** Durable when it returns. Throws what the store throws, and then nothing is held. */
  add(record: Revision, until: string | null): LocalChange {
    const number = (this.#all.at(-1)?.number ?? 0) + 1;
    const change = { number, record, held: heldOf(record), until, ended: null };
    this.#write([...this.#all, change]);
    return change;
  }

  end(number: number, how: string): void {
    this.#write(this.#all.map((change) => (change.number === number && change.ended === null ? { ...change, ended: how } : change)));
  }

  /** Those whose time is over. */
  overdue(wallMs: number): readonly LocalChange[] {
    return this.held.filter(({ until }) => until !== null && Date.parse(until) <= wallMs);
  }

  /** `shop.split`, `eu-west.admin`: what this host has otherwise than the fleet. */
  fields(): readonly string[] {
    return [...new Set(this.held.flatMap(({ held }) => held.map(fieldName)))].sort();
  }

  #write(all: readonly LocalChange[]): void {
    const ended = all.filter((change) => change.ended !== null);
    const dropped = new Set(ended.slice(0, Math.max(0, ended.length - KEPT)));
    const kept = all.filter((change) => !dropped.has(change));
    this.#store.putDurably(KEY, JSON.stringify(kept));
    this.#all = kept;
  }
}

export function fieldName({ path }: Pick<TouchedField, 'path'>): string {
  return path.slice(1).join('.');
}

/** A change of services, versions or clusters that are not there any more, or not the same ones, holds nothing. */
export function fits({ held }: LocalChange, intent: Intent): boolean {
  return held.every(({ path: [part, name = '', field, version = ''], after }) => {
    if (part === 'clusters') return intent.clusters[name] !== undefined;
    const service = intent.services[name];
    if (service === undefined) return false;
    if (field === 'split') return sameNames(after, service.split);
    return field !== 'clusterWeights' || sameNames(after, service.clusterWeights[version] ?? {});
  });
}

function sameNames(one: unknown, other: object): boolean {
  if (typeof one !== 'object' || one === null) return false;
  return canonicalJson(Object.keys(one).sort()) === canonicalJson(Object.keys(other).sort());
}

function laidOver(intent: Intent, change: LocalChange): Intent {
  if (!fits(change, intent)) return intent;
  const { held: touched } = change;
  return decodeIntent(JSON.stringify(patchIntent(intent, { revision: intent.revision, touched })), `local change ${change.number}`);
}

const OF_SERVICES: ReadonlySet<string> = new Set(['split', 'clusterWeights', 'clusterSplits']);
const OF_CLUSTERS: ReadonlySet<string> = new Set(['admin', 'dialPercent', 'tunnels']);

/** What steers. Rollouts and what returns by itself are the fleet's; this host does not follow them in what it holds. */
function heldOf({ touched }: Revision): readonly TouchedField[] {
  const held = touched.filter(({ path: [part, , field = ''] }) => (part === 'services' ? OF_SERVICES : OF_CLUSTERS).has(field));
  const split = held.find(({ path }) => path[2] === 'split');
  if (split === undefined || held.some(({ path }) => path[2] === 'clusterSplits')) return held;
  // A rollout of the fleet in waves must not split clusters otherwise than this host was told to.
  return [...held, { path: [...split.path.slice(0, 2), 'clusterSplits'], before: null, after: null }];
}

/** What cannot be read holds nothing. */
function decodeAll(text: string | null): readonly LocalChange[] {
  try {
    const all: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(all) ? all.map(decode) : [];
  } catch {
    return [];
  }
}

function decode(value: unknown): LocalChange {
  const at = (name: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined);
  const [number, until, ended] = [at('number'), at('until'), at('ended')];
  const record = decodeRevision(JSON.stringify(at('record')), 'a local change');
  return {
    number: typeof number === 'number' ? number : 0,
    record,
    held: heldOf(record),
    until: typeof until === 'string' ? until : null,
    ended: typeof ended === 'string' ? ended : null,
  };
}
