// Paths that origins read in more than one way: `//`, an escaped slash, `;parameters`, what is escaped twice. What a rule guards must be
// guarded in every reading.

/** What is open about a path; bits of a number. Escapes: of a percent sign before two digits, or of `;`, which some undo once more than others. */
export const Doubt = { DoubleSlash: 1, EscapedSlash: 2, Parameters: 4, Escapes: 8 } as const;
export const ALL_DOUBTS = Doubt.DoubleSlash | Doubt.EscapedSlash | Doubt.Parameters | Doubt.Escapes;

const UNRESERVED = /[A-Za-z0-9\-._~]/;
const ESCAPED_AGAIN = /%(?:3B|25(?=[0-9A-Fa-f]{2}))/;
/** Through all levels at once: a long one must not be gone through level by level. */
const ALL_LEVELS = /%(?:25)*([0-9A-Fa-f]{2})/g;

/** `path` has its escapes in upper case, and those of unreserved characters decoded. */
export function doubtsOf(path: string): number {
  let doubts = 0;
  if (path.includes('//')) doubts |= Doubt.DoubleSlash;
  if (/%(?:2F|5C)/.test(path)) doubts |= Doubt.EscapedSlash;
  if (path.includes(';')) doubts |= Doubt.Parameters;
  if (ESCAPED_AGAIN.test(path)) doubts |= Doubt.Escapes;
  return doubts;
}

/** What an origin may act on; where it does, slashes may come to stand together that did not, and behind an escape may be anything. */
export function openDoubtsOf(path: string): number {
  const doubts = doubtsOf(path);
  if ((doubts & Doubt.Escapes) !== 0) return ALL_DOUBTS;
  return doubts === 0 ? 0 : doubts | Doubt.DoubleSlash;
}

/** The path as it is, and in every other way that an origin may read it. */
export function readingsOf(path: string): readonly string[] {
  const open = openDoubtsOf(path);
  if (open === 0) return [path];
  const readings = new Set([path]);
  for (let acted = open; acted > 0; acted = (acted - 1) & open) readings.add(readAs(path, acted));
  return [...readings];
}

/**
 * Whether the readings of a path depend on the order in which an origin does things: dot segments beside anything in doubt, or an escaped slash
 * within a parameter, or a NUL that is escaped twice. Nobody but an attacker writes these.
 */
export function isHopeless(path: string): boolean {
  const decoded = readAs(path, Doubt.Escapes);
  if (SLASH_IN_PARAMETER.test(path) || SLASH_IN_PARAMETER.test(decoded) || decoded.includes('%00')) return true;
  return readAs(path, ALL_DOUBTS)
    .split('/')
    .some((segment) => segment === '.' || segment === '..');
}

const SLASH_IN_PARAMETER = /;[^/]*%(?:2F|5C)/;

/**
 * The path as an origin reads it that acts on these doubts: undoes escapes to the last one, leaves parameters out, takes escaped slashes for
 * slashes, merges slashes.
 */
export function readAs(path: string, doubts: number): string {
  let read = path;
  if ((doubts & Doubt.Escapes) !== 0) read = read.replaceAll(ALL_LEVELS, (_, hex: string) => decoded(hex));
  if ((doubts & Doubt.Parameters) !== 0) read = read.replaceAll(/;[^/]*/g, '');
  if ((doubts & Doubt.EscapedSlash) !== 0) read = read.replaceAll(/%(?:2F|5C)/g, '/');
  if ((doubts & Doubt.DoubleSlash) !== 0) read = read.replaceAll(/\/{2,}/g, '/');
  return read;
}

/** Slashes stay escaped: whether they are slashes is a doubt of its own. */
function decoded(hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return character === ';' || UNRESERVED.test(character) ? character : `%${hex.toUpperCase()}`;
}
