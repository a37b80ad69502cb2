// Rows of a list filtered and sorted, and kept: a frame without news or another wish draws what the last one found.
import { type Filter, matches, parseFilter, type Searchable } from './filter.ts';
import type { ListState } from './state.ts';

export type Compare<Row> = (a: Row, b: Row) => number;

/** How rows of one kind are told apart, looked through and ordered. */
export interface Arrangement<Row> {
  readonly id: (row: Row) => string;
  readonly search: (row: Row) => Searchable;
  /** Each with what is most worth seeing first; the first one is where a screen begins. */
  readonly sorts: Readonly<Record<string, Compare<Row>>>;
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export function arrange<Row>(
  rows: readonly Row[],
  list: Pick<ListState, 'filter' | 'sort' | 'reverse'>,
  of: Arrangement<Row>,
): readonly Row[] {
  const filter: Filter = parseFilter(list.filter);
  const compare = of.sorts[list.sort] ?? (() => 0);
  const direction = list.reverse ? -1 : 1;
  const kept = filter.length === 0 ? [...rows] : rows.filter((row) => matches(filter, of.search(row)));
  // Equal rows keep the order of their identities, whichever way the column is turned.
  return kept.sort((a, b) => direction * compare(a, b) || byText(of.id(a), of.id(b)));
}

/** The last result for as long as everything it was made from is the same. */
export function remember<Result>(): (from: readonly unknown[], make: () => Result) => Result {
  let last: { readonly from: readonly unknown[]; readonly result: Result } | null = null;
  return (from, make) => {
    const known = last;
    if (known !== null && known.from.length === from.length && known.from.every((each, index) => Object.is(each, from[index])))
      return known.result;
    const result = make();
    last = { from, result };
    return result;
  };
}
