// One text per JSON value, whatever order its keys were written in: what is hashed. And whether two values have the same one.

/** Keys sorted by code unit, no spaces; members that are undefined are left out, as JSON does. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === '' ? '' : ','}${canonicalJson(item ?? null)}`;
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, key);
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

/** A copy with its keys in one order at every depth: plain JSON of it does not depend on how it was written. */
export function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, inOrder(Reflect.get(value, key))]));
}

/** Equal as JSON values. Makes no texts: configs of many routes are compared with it. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return canonicalJson(a) === canonicalJson(b);
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  return sameMembers(a, b);
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => sameJson(item ?? null, b[index] ?? null));
}

/** A member that is undefined is not there: it differs from null. */
function sameMembers(a: object, b: object): boolean {
  let count = 0;
  for (const key in a) {
    const member: unknown = Reflect.get(a, key);
    if (member === undefined) continue;
    const other: unknown = Object.hasOwn(b, key) ? Reflect.get(b, key) : undefined;
    if (other === undefined || !(member === other || sameJson(member, other))) return false;
    count += 1;
  }
  for (const other of Object.values(b)) if (other !== undefined) count -= 1;
  return count === 0;
}
