// Claims of a token: found by name or by a way into objects, and as texts.

/** `name` is the claim's own, or, where there is none of that name, a way into objects: `realm/roles`. Undefined: it is not there. */
export function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  if (!name.includes('/')) return undefined;
  let value: unknown = claims;
  for (const part of name.split('/')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** The texts of a claim that is one, or a list of them; numbers and truth values as JSON writes them. */
export function claimTexts(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean').map(String);
}

/** Visible characters of ASCII and spaces between them: what ends a field early, and what is read in more than one way, has no place in it. */
const SPEAKABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** Null: it cannot stand in a field as it is, or is not there. */
export function fieldText(value: unknown): string | null {
  const texts = claimTexts(value);
  const count = Array.isArray(value) ? value.length : 1;
  const text = texts.join(',');
  return texts.length === count && SPEAKABLE.test(text) ? text : null;
}
