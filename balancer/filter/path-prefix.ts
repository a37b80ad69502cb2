// The beginning of a path put in place of another, element by element.
import type { Static } from '../schema/type.ts';
import { mapping, valueOf } from '../config/schema-parts.ts';

export const prefixOf = (description: string) =>
  mapping(
    { from: valueOf('path', 'Beginning of the path, by element'), to: valueOf('path', 'What stands there instead; `/` takes it away') },
    description,
  );

export type Prefix = Static<ReturnType<typeof prefixOf>>;

const trimmed = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);

/** Paths that do not begin so stay as they are. */
export function withPrefix(path: string, { from, to }: Prefix): string {
  const before = trimmed(from);
  if (path !== before && !path.startsWith(`${before}/`)) return path;
  const rest = path.slice(before.length);
  const whole = `${trimmed(to)}${rest}`;
  return whole === '' ? '/' : whole;
}
