// What Cache-Control says (RFC 9111 section 5.2), of requests and of responses.
import { fieldIndex, type Fields } from '../../message/fields.ts';

/** Name in lower case → argument; empty: it has none. */
export type Directives = ReadonlyMap<string, string>;

/** Longer than anybody means: it is taken for the most cautious there is, and not read. */
const MOST_CHARACTERS = 1024;
/** A directive may have a quoted argument, in which a comma or another name means nothing. */
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/gi;
const NONE: Directives = new Map();
const NO_STORE: Directives = new Map([['no-store', '']]);
const NO_CACHE: Directives = new Map([['no-cache', '']]);

/** Of all fields of that name together. */
export function responseDirectives(fields: Readonly<Fields>): Directives {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === 'cache-control') text += `${fields[i + 1] ?? ''},`;
  return text === '' ? NONE : readDirectives(text);
}

/** Clients of HTTP/1.0 say it by Pragma, which counts where there is no Cache-Control (RFC 9111 section 5.4). */
export function requestDirectives(fields: Readonly<Fields>): Directives {
  if (fieldIndex(fields, 'cache-control') >= 0) return responseDirectives(fields);
  const pragma = fieldIndex(fields, 'pragma');
  return pragma >= 0 && /no-cache/i.test(fields[pragma] ?? '') ? NO_CACHE : NONE;
}

/** Undefined: it is not said. What is no number of seconds is 0, and of several the smallest counts (section 4.2.1). */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const given = directives.get(name);
  return given === undefined ? undefined : secondsIn(given);
}

/** Beyond 2^31 it is all the same (RFC 9111 section 1.2.2). */
export const secondsIn = (text: string): number => (/^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) : 0);

function readDirectives(text: string): Directives {
  if (text.length > MOST_CHARACTERS) return NO_STORE;
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of text.matchAll(DIRECTIVE)) {
    const lower = name.toLowerCase();
    const value = quoted ?? plain ?? '';
    const before = found.get(lower);
    found.set(lower, before !== undefined && secondsIn(before) < secondsIn(value) ? before : value);
  }
  return found;
}
