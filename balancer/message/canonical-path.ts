// The one path of a request: normalised once (RFC 3986 section 6.2.2), then used for routing, policies and the upstream request alike.
import { doubtsOf, isHopeless } from './path-readings.ts';

/** Path and query of an origin-form target. */
export interface CanonicalTarget {
  readonly path: string;
  readonly query: string;
  readonly hasQuery: boolean;
  /** 0: the path can be read in one way only; else see path-readings.ts. */
  readonly doubts: number;
}

/** Visible ASCII but `#` (never sent, RFC 9112 section 3.2) and `\` (read as `/` by some origins). */
const TARGET = /^[\x21\x22\x24-\x5b\x5d-\x7e]+$/;
/** What makes the slow way necessary: escapes, parameters, dot segments and empty ones. */
const NEEDS_WORK = /[%;]|\/[./]/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** Null when the target is no valid origin-form: malformed escapes, an encoded NUL, bytes that no URI may have. */
export function canonicalTarget(target: string): CanonicalTarget | null {
  if (target.charCodeAt(0) !== 0x2f || !TARGET.test(target)) return null;
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (!NEEDS_WORK.test(rawPath)) return { path: rawPath, query, hasQuery: mark >= 0, doubts: 0 };
  const escaped = rawPath.includes('%') ? normaliseEscapes(rawPath) : rawPath;
  if (escaped === null) return null;
  const doubts = doubtsOf(escaped);
  if (doubts !== 0 && isHopeless(escaped)) return null;
  return { path: removeDotSegments(escaped), query, hasQuery: mark >= 0, doubts };
}

/** Decodes escapes of unreserved characters, writes the others in upper case; `%2F` stays what it is: no separator. */
function normaliseEscapes(path: string): string | null {
  let result = '';
  let from = 0;
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', from)) {
    const hex = path.slice(at + 1, at + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex) || hex === '00') return null;
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    result += path.slice(from, at) + (UNRESERVED.test(character) ? character : `%${hex.toUpperCase()}`);
    from = at + 3;
  }
  return result + path.slice(from);
}

/** RFC 3986 section 5.2.4; a `..` above the root stays at the root. */
function removeDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (last) kept.push('');
  });
  return `/${kept.join('/')}`;
}
