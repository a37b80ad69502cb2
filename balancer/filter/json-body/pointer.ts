// Places in JSON: pointers of RFC 6901, with `*` for every member or element and `**` for any number of levels.

export type PointerToken =
  | { readonly kind: 'each' }
  | { readonly kind: 'deep' }
  /** `index` -1: it is no index. */
  | { readonly kind: 'name'; readonly name: string; readonly index: number };

export type Pointer = readonly PointerToken[];

export type ReadPointer = { readonly ok: true; readonly pointer: Pointer } | { readonly ok: false; readonly problem: string };

const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;
const MOST_TOKENS = 64;

export function readPointer(text: string): ReadPointer {
  if (text === '') return { ok: true, pointer: [] };
  if (!text.startsWith('/'))
    return { ok: false, problem: `"${text}" is no JSON pointer; expected for example /user/email, or /items/*/price` };
  if (/~(?![01])/.test(text))
    return { ok: false, problem: `"${text}" has a ~ that stands for nothing; ~0 is the ~ itself, and ~1 a slash` };
  const parts = text.slice(1).split('/');
  if (parts.length > MOST_TOKENS) return { ok: false, problem: `it leads ${parts.length} levels down; expected at most ${MOST_TOKENS}` };
  if (parts.at(-1) === '**')
    return { ok: false, problem: `"${text}" ends with **, which is every level; say what is meant there: ${text}/*` };
  const pointer = parts.map((part): PointerToken => {
    if (part === '*') return { kind: 'each' };
    if (part === '**') return { kind: 'deep' };
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    return { kind: 'name', name, index: INDEX.test(name) ? Number(name) : -1 };
  });
  return { ok: true, pointer };
}

/** For names that readers take for each other: beyond case, the long s and the sign of Kelvin, as readers fold them. */
export const folded = (name: string): string => name.toUpperCase().toLowerCase();
