// The filter line: words that must occur, `!word` that must not, `field=word` for one field, `figure>1`. All must hold.

/** What a row offers: text to search in, and fields by name. */
export interface Searchable {
  readonly text: string;
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** As the columns show them: rates, percentages, milliseconds; null: not known. */
  readonly figures?: Readonly<Record<string, number | null>>;
}

type Term = WordTerm | FigureTerm;

interface FigureTerm {
  readonly negated: boolean;
  readonly figure: string;
  readonly sign: string;
  readonly than: number;
}

interface WordTerm {
  readonly negated: boolean;
  /** Null: anywhere in the text. */
  readonly field: string | null;
  readonly word: string;
}

export type Filter = readonly Term[];

export function parseFilter(line: string): Filter {
  const words = line.toLowerCase().split(/\s+/).filter(Boolean);
  return words.flatMap((typed): readonly Term[] => {
    const negated = typed.startsWith('!');
    const rest = negated ? typed.slice(1) : typed;
    const [compares, figure = '', sign = '', than = ''] = /^(\w+)(>=|<=|>|<)([\d.]*)$/.exec(rest) ?? [];
    if (compares !== undefined) return than === '' ? [] : [{ negated, figure, sign, than: Number(than) }];
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
  if ('figure' in term) return compare(row.figures?.[term.figure] ?? null, term);
  if (term.field === null) return row.text.toLowerCase().includes(term.word);
  return (row.fields[term.field] ?? []).some((value) => value.toLowerCase().startsWith(term.word));
}

/** What is not known is neither more nor less than anything. */
function compare(value: number | null, { sign, than }: FigureTerm): boolean {
  if (value === null || Number.isNaN(than)) return false;
  if (sign === '>') return value > than;
  if (sign === '<') return value < than;
  return sign === '>=' ? value >= than : value <= than;
}

/** Of what has traffic, by the titles of its columns. */
export function trafficFigures({
  rps,
  errorRatio,
  p95Ms,
}: {
  readonly rps: number;
  readonly errorRatio: number;
  readonly p95Ms: number | null;
}): Readonly<Record<string, number | null>> {
  return { rps, err: errorRatio * 100, p95: p95Ms };
}

/** Of what has shares. */
export function shareFigures({
  desiredShare,
  effectiveShare,
  observedShare,
}: {
  readonly desiredShare: number;
  readonly effectiveShare: number;
  readonly observedShare: number;
}): Readonly<Record<string, number | null>> {
  return { des: desiredShare * 100, eff: effectiveShare * 100, obs: observedShare * 100 };
}
