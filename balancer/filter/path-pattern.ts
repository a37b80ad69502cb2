// A path read by a pattern with places for its elements, `/users/{id}/{rest...}`, and written anew with what stood there.
import { Type, type Static } from '../schema/type.ts';
import { mapping } from '../config/schema-parts.ts';

const written = (description: string) => Type.String({ minLength: 1, maxLength: 1024, pattern: '^/', description });

export const patternOf = (description: string) =>
  mapping(
    {
      from: written(
        'The whole path, such as `/users/{id}/orders`: `{id}` is one element that is not empty, `{rest...}` as the last one all that follows',
      ),
      to: written('What stands there instead, with the same names: `/orders/of/{id}`'),
    },
    description,
  );

export type PathPattern = Static<ReturnType<typeof patternOf>>;

interface Place {
  readonly name: string;
  /** It takes all that follows. */
  readonly rest: boolean;
}

const PLACE = /^\{([a-z][a-z0-9_]*)(\.{3})?\}$/;

/** Null: this is no place, but text. */
function placeOf(element: string): Place | null {
  const [whole, name = '', dots] = PLACE.exec(element) ?? [];
  return whole === undefined ? null : { name, rest: dots !== undefined };
}

/** What is wrong with it, in words that teach; null: nothing. */
export function patternProblem({ from, to }: PathPattern): string | null {
  const names = new Set<string>();
  const elements = from.slice(1).split('/');
  for (const [index, element] of elements.entries()) {
    const place = placeOf(element);
    if (place === null) {
      if (/[{}?#]/.test(element))
        return `"${element}" in ${from} is neither text nor a place; a place is a whole element, such as {id}, or {rest...} at the end`;
      continue;
    }
    if (names.has(place.name)) return `{${place.name}} stands twice in ${from}; give each place a name of its own`;
    if (place.rest && index < elements.length - 1)
      return `{${place.name}...} takes all that follows, and stands in the middle of ${from}; put it last`;
    names.add(place.name);
  }
  for (const [, name = ''] of to.matchAll(/\{([^}]*)\}?/g))
    if (!names.has(name))
      return `{${name}} in ${to} is no place of ${from}; expected one of ${[...names].map((one) => `{${one}}`).join(', ') || 'none'}`;
  return /[?#]/.test(to) ? `${to} has more than a path; parameters are set by query.set` : null;
}

/** What writes a path anew; paths that the pattern does not fit stay as they are. The pattern has no problem. */
export function rewriting({ from, to }: PathPattern): (path: string) => string {
  const elements = from.slice(1).split('/');
  const places = elements.map(placeOf);
  const open = places.at(-1)?.rest === true;
  const parts = to.split(/\{([^}]*)\}/);
  return (path) => {
    const found = path.slice(1).split('/');
    if (open ? found.length < elements.length : found.length !== elements.length) return path;
    const values = new Map<string, string>();
    for (const [index, place] of places.entries()) {
      const element = found[index] ?? '';
      if (place === null ? element !== elements[index] : element === '' && !place.rest) return path;
      if (place !== null) values.set(place.name, place.rest ? found.slice(index).join('/') : element);
    }
    return parts.map((part, index) => (index % 2 === 0 ? part : (values.get(part) ?? ''))).join('');
  };
}
