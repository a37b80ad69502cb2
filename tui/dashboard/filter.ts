// The filter line: words that must occur, `!word` that must not, `field=word` for one field. All must hold.

/** What a row offers: text to search in, and fields by name. */
export interface Searchable {
  readonly text: string;
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

interface Term {
  readonly negated: boolean;
  /** Null: anywhere in the text. */
  readonly field: string | null;
  readonly word: string;
}

export type Filter = readonly Term[];

export function parseFilter(line: string): Filter {
  const words = line.toLowerCase().split(/\s+/).filter(Boolean);
  return words.flatMap((typed) => {
    const negated = typed.startsWith('!');
    const rest = negated ? typed.slice(1) : typed;
    const equals = rest.indexOf('=');
    const field = equals > 0 ? rest.slice(0, equals) : null;
    const word = field === null ? rest : rest.slice(equals + 1);
    // Half typed (`!`, `state=`): no condition yet, so the rows do not vanish under the typist.
    return word === '' ? [] : [{ negated, field, word }];
  });
}

export function matches(filter: Filter, row: Searchable): boolean {
  return filter.every((term) => holds(term, row) !== term.negated);
}

/** A field matches from its start, so that `state=deg` finds degraded, and `state=up` does not find a name with "up" in it. */
function holds(term: Term, row: Searchable): boolean {
  if (term.field === null) return row.text.toLowerCase().includes(term.word);
  return (row.fields[term.field] ?? []).some((value) => value.toLowerCase().startsWith(term.word));
}
