// JSON text from another process of weir → its value, or null: it is not what it should be.
import { createCheck } from './check.ts';
import type { Schema, Static } from './type.ts';

/** Keys that the schema does not know are left as they are: another version may have written them. */
export function jsonDecoder<S extends Schema>(schema: S): (text: string) => Static<S> | null {
  const check = createCheck(schema);
  return (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return check(value).length === 0 ? (value as Static<S>) : null;
    } catch {
      return null;
    }
  };
}
