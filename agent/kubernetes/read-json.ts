// Reading answers of the API server: each field is looked for where it should be, and what is not there or of another kind is nothing.
// Objects of a cluster have hundreds of fields and come by the thousand, so nothing but the fields that are used is looked at.

/** A field of an object; undefined where there is no object or no such field. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  let at: unknown = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}

/** A text; empty where there is none. */
export function textOf(value: unknown, ...path: readonly string[]): string {
  const found = fieldOf(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** A number; 0 where there is none. */
export function numberOf(value: unknown, ...path: readonly string[]): number {
  const found = fieldOf(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}

/** A list; empty where there is none. */
export function listOf(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = fieldOf(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** True or false; null where nothing is said, which the API tells from false. */
export function flagOf(value: unknown, ...path: readonly string[]): boolean | null {
  const found = fieldOf(value, ...path);
  return typeof found === 'boolean' ? found : null;
}

/** `namespace/name`, the key of an object that is in a namespace; the name alone of one that is not. */
export function keyOf(object: unknown): string {
  const namespace = textOf(object, 'metadata', 'namespace');
  const name = textOf(object, 'metadata', 'name');
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** The status of the condition of this type: `True`, `False`, `Unknown`; empty: there is none. */
export function conditionOf(object: unknown, type: string): unknown {
  return listOf(object, 'status', 'conditions').find((condition) => textOf(condition, 'type') === type);
}
