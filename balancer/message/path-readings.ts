// Paths that origins read in more than one way: `//`, an escaped slash, `;parameters`. What a rule guards must be guarded in every reading.

/** What is open about a path; bits of a number. */
export const Doubt = { DoubleSlash: 1, EscapedSlash: 2, Parameters: 4 } as const;
export const ALL_DOUBTS = Doubt.DoubleSlash | Doubt.EscapedSlash | Doubt.Parameters;

/** `path` has its escapes in upper case, and those of unreserved characters decoded. */
export function doubtsOf(path: string): number {
  let doubts = 0;
  if (path.includes('//')) doubts |= Doubt.DoubleSlash;
  if (/%(?:2F|5C)/.test(path)) doubts |= Doubt.EscapedSlash;
  if (path.includes(';')) doubts |= Doubt.Parameters;
  return doubts;
}

/**
 * Whether the readings of a path depend on the order in which an origin does things: dot segments beside anything in doubt, or an escaped slash
 * within a parameter. Nobody but an attacker writes these.
 */
export function isHopeless(path: string): boolean {
  if (/;[^/]*%(?:2F|5C)/.test(path)) return true;
  return readAs(path, ALL_DOUBTS)
    .split('/')
    .some((segment) => segment === '.' || segment === '..');
}

/** The path as an origin reads it that acts on these doubts: takes escaped slashes for slashes, leaves parameters out, merges slashes. */
export function readAs(path: string, doubts: number): string {
  let read = path;
  if ((doubts & Doubt.Parameters) !== 0) read = read.replaceAll(/;[^/]*/g, '');
  if ((doubts & Doubt.EscapedSlash) !== 0) read = read.replaceAll(/%(?:2F|5C)/g, '/');
  if ((doubts & Doubt.DoubleSlash) !== 0) read = read.replaceAll(/\/{2,}/g, '/');
  return read;
}
