// The intent after a revision, from the one before and what the record says: the counterpart of `diffIntent`.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../config/canonical-json.ts';
import { CALLERS } from './callers.ts';
import { GLIDES } from './diff.ts';
import { CONFIG_PATH, type Revision } from './intent.ts';
import { TOKENS } from './tokens.ts';

type Tree = Record<string, unknown>;

/**
 * `before` (an intent, or a part of one) with the fields of the record as they are after it. What comes out is checked by whoever decodes it, and against
 * the hash that the one who made the revision wrote down. `before` stays as it is.
 */
export function patchIntent(before: object, { revision, touched }: Pick<Revision, 'revision' | 'touched'>): unknown {
  // By its text: parts that are one object in memory, as a config may seed them, are each their own in it.
  const copy: unknown = JSON.parse(JSON.stringify({ ...before, revision }));
  const after = isTree(copy) ? copy : {};
  for (const { path, after: value } of touched) {
    if (path[0] === CONFIG_PATH[0]) continue;
    const parents = treesTo(after, path.slice(0, -1));
    const parent = parents.at(-1);
    const name = path.at(-1);
    if (parent === undefined || name === undefined) continue;
    if (value === null) Reflect.deleteProperty(parent, name);
    else parent[name] = value;
  }
  for (const part of ['services', 'clusters', 'quotaEpochs']) dropBare(treesTo(after, [part]).at(-1) ?? {});
  for (const part of ['overrides', GLIDES, 'quotaEpochs', TOKENS])
    if (Object.keys(treesTo(after, [part]).at(-1) ?? {}).length === 0) Reflect.deleteProperty(after, part);
  dropEmptyCallers(after);
  for (const service of Object.values(treesTo(after, ['services']).at(-1) ?? {})) if (isTree(service)) service['clusterWeights'] ??= {};
  return after;
}

/** SHA-256 of the canonical JSON, in hex. */
export function intentHash(intent: object): string {
  return createHash('sha256').update(canonicalJson(intent)).digest('hex');
}

/** The trees on the way of a path, made where they are missing. */
function treesTo(root: Tree, path: readonly string[]): readonly Tree[] {
  const trees = [root];
  for (const name of path) {
    const parent = trees.at(-1) ?? root;
    const member = parent[name];
    const tree = isTree(member) ? member : {};
    parent[name] = tree;
    trees.push(tree);
  }
  return trees;
}

/** As they are after a change: nothing that is empty is there. */
function dropEmptyCallers(after: Tree): void {
  const callers = after[CALLERS];
  if (!isTree(callers)) return;
  for (const [part, of] of Object.entries(callers)) if (isTree(of) && Object.keys(of).length === 0) Reflect.deleteProperty(callers, part);
  if (Object.keys(callers).length === 0) Reflect.deleteProperty(after, CALLERS);
}

/** A service or cluster without any field is not there. */
function dropBare(parts: Tree): void {
  for (const [name, part] of Object.entries(parts)) {
    if (isTree(part) && Object.values(part).every((value) => isTree(value) && Object.keys(value).length === 0))
      Reflect.deleteProperty(parts, name);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
