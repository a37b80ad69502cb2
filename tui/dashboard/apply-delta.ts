// Makes the next document of the feed from the one before and what has changed. What has not changed is the same object as before.
import type { Delta } from '../../balancer/controller/api/views.ts';

/** The delta does not fit the document: the feed has to begin anew. */
export class DeltaMisfit extends Error {
  constructor(path: string, what: string) {
    super(`what the appliance says has changed does not fit what it said before: ${path === '' ? 'the document' : path} ${what}`);
    this.name = 'DeltaMisfit';
  }
}

/** Throws DeltaMisfit. `delta` is as it came over the network. */
export function applyDelta(before: unknown, delta: unknown, path = ''): unknown {
  if (typeof delta !== 'object' || delta === null) return delta;
  if ('=' in delta) return delta['='];
  if ('o' in delta) return onRecord(before, delta, path);
  if ('a' in delta) return onList(before, delta.a, path);
  throw new DeltaMisfit(path, 'is changed in a way this version does not know');
}

/** Objects whose keys come from elsewhere: `__proto__` is a name like any other. */
function onRecord(before: unknown, delta: { readonly o?: unknown; readonly '-'?: unknown }, path: string): unknown {
  if (typeof before !== 'object' || before === null || Array.isArray(before)) throw new DeltaMisfit(path, 'is no object');
  if (typeof delta.o !== 'object' || delta.o === null) throw new DeltaMisfit(path, 'has no list of changes');
  const fields: Record<string, unknown> = { ...before };
  for (const [name, change] of Object.entries(delta.o)) {
    const value = applyDelta(Object.hasOwn(fields, name) ? fields[name] : undefined, change, `${path}.${name}`);
    if (name === '__proto__') Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
    else fields[name] = value;
  }
  if (!Array.isArray(delta['-'])) return fields;
  const gone = new Set(delta['-'].map(String));
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !gone.has(name)));
}

type ListDelta = Extract<Delta, { readonly a: unknown }>['a'];

function onList(before: unknown, change: unknown, path: string): unknown {
  if (!Array.isArray(before)) throw new DeltaMisfit(path, 'is no list');
  if (typeof change !== 'object' || change === null) throw new DeltaMisfit(path, 'has no changes');
  // A decoding border: each part is checked where it is used.
  const { drop = [0, 0], front = [], back = [], at = {} } = change as ListDelta;
  const kept = before.slice(drop[0], before.length - drop[1]) as unknown[];
  const list: unknown[] = [...front, ...kept, ...back];
  for (const [place, delta] of Object.entries(at)) {
    const index = Number(place);
    if (!Number.isInteger(index) || index < 0 || index >= list.length) throw new DeltaMisfit(path, `has no item ${place}`);
    list[index] = applyDelta(list[index], delta, `${path}[${place}]`);
  }
  return list;
}
