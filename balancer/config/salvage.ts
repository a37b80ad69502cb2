// Validation that goes on: what does not fit is taken out, so that the rest can be checked and all problems are told at once.
import type { ConfigFile } from './schema.ts';
import type { Finding, ValuePath } from './problems.ts';
import type { Misfit, Validator } from './validate.ts';

export interface Salvaged {
  /** Defaults filled in; null when nothing could be used. */
  readonly file: ConfigFile | null;
  readonly misfits: readonly Finding[];
  /** Whether the listener, cluster, service or route at this path is not usable: its value is not what the type says. */
  readonly isBroken: (entry: ValuePath) => boolean;
}

/** Parts of the file that hold many things of one form; one that is broken leaves the others usable. */
const COLLECTIONS: readonly unknown[] = ['listeners', 'clusters', 'services', 'routes'];

/** Changes `value` in place. */
export function salvage(value: unknown, validate: Validator): Salvaged {
  const misfits = validate(value);
  if (misfits.length === 0) return { file: decoded(value), misfits, isBroken: () => false };
  for (const misfit of misfits) takeOut(value, misfit);
  const broken = new Set<string>();
  const unreadable = (): readonly Misfit[] => validate(value).filter(({ keepsType }) => !keepsType);
  for (const misfit of unreadable()) {
    const [part, entry] = misfit.path;
    if (entry !== undefined && COLLECTIONS.includes(part)) broken.add(keyOf([String(part), entry]));
    else if (part !== undefined) remove(value, [part]);
  }
  const left = unreadable().filter(({ path }) => !broken.has(keyOf(path.slice(0, 2))));
  // What a file must have and has not: without listeners the rest can still be checked.
  const usable = typeof value === 'object' && value !== null && left.every(({ path }) => path.length === 0);
  if (!usable) return { file: null, misfits, isBroken: () => true };
  if (!('listeners' in value)) Object.assign(value, { listeners: {} });
  return { file: decoded(value), misfits, isBroken: (entry) => broken.has(keyOf(entry)) };
}

/** The decoding border of the file: what the schema accepted has the type the schema has. */
const decoded = (value: unknown): ConfigFile => value as ConfigFile;

const keyOf = (path: ValuePath): string => path.join('\0');

function takeOut(root: unknown, misfit: Misfit): void {
  const isEntry = misfit.path.length === 2 && typeof misfit.path[1] === 'number';
  if (misfit.keyword === 'required' || misfit.keepsType || isEntry) return;
  // Elements stay where they are, so that the indexes of their neighbours still name places in the text.
  const lastKey = misfit.path.findLastIndex((part) => typeof part === 'string');
  remove(root, misfit.path.slice(0, lastKey + 1));
}

function remove(root: unknown, path: ValuePath): void {
  const key = path.at(-1);
  const holder = path.slice(0, -1).reduce<unknown>((value, part) => (isObject(value) ? Reflect.get(value, part) : undefined), root);
  if (key !== undefined && isObject(holder)) Reflect.deleteProperty(holder, key);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
