// By which fields of a request a response varies, and whether another request would get the same one (RFC 9111 section 4.1).
import type { Fields } from '../../message/fields.ts';

/** Weir writes them for each request anew, or they name the client: no two requests agree. */
const OF_ONE_CLIENT: ReadonlySet<string> = new Set([
  'x-forwarded-for',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'via',
  'client-cert',
  'client-cert-chain',
]);
/** Follow from scheme and authority, which are asked for, or are told apart as claims of a trusted peer (asked.ts). */
const KEPT_APART: ReadonlySet<string> = new Set(['host', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port']);
/** More is no list that an origin means, and each is compared. */
const MOST_NAMES = 16;

/** Names in lower case; null: the response is for this request alone. */
export function variesBy(fields: Readonly<Fields>): readonly string[] | null {
  const names = new Set<string>();
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'vary') continue;
    for (const one of (fields[i + 1] ?? '').split(',')) {
      const name = one.trim().toLowerCase();
      if (name === '*' || OF_ONE_CLIENT.has(name)) return null;
      if (name !== '' && !KEPT_APART.has(name)) names.add(name);
    }
  }
  return names.size > MOST_NAMES ? null : [...names];
}

/** What a request says under these names, in their order. */
export const valuesOf = (fields: Readonly<Fields>, names: readonly string[]): readonly string[] =>
  names.map((name) => valueOf(fields, name));

/** Whether it says the same. */
export function saysTheSame(fields: Readonly<Fields>, names: readonly string[], values: readonly string[]): boolean {
  for (let i = 0; i < names.length; i += 1) if (valueOf(fields, names[i] ?? '') !== values[i]) return false;
  return true;
}

/** Fields of one name are one list; white space around its commas means nothing. What is absent differs from what is empty. */
function valueOf(fields: Readonly<Fields>, name: string): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) text += `,${fields[i + 1] ?? ''}`;
  if (text.includes(' ') || text.includes('\t')) text = text.replaceAll(/[ \t]*,[ \t]*/g, ',');
  return name === 'accept-encoding' ? text.toLowerCase() : text;
}
