// What a screen is: rows of the news as a list with an order, a filter and a selection, and lines for a size. Pure; adding one is a file and a
// line of the registry.
import { type Arrangement, arrange, remember } from './arrange.ts';
import { type Table, withoutColumns } from './columns.ts';
import type { Frame } from './frame.ts';
import type { Glyphs } from './glyphs.ts';
import type { Charted, Moment } from './past.ts';
import type { DashboardState, ListState, ScreenName, Snapshot } from './state.ts';
import { listLines, listTitle, ruleLine } from './views/parts.ts';

/** What a screen is made from. */
export interface Looking {
  readonly state: DashboardState;
  readonly snapshot: Snapshot;
  readonly list: ListState;
}

export interface Sight extends Looking {
  readonly glyphs: Glyphs;
  /** Of the moment that is shown. */
  readonly nowMs: number;
}

/** What a row is about: what acts on it act on. */
export interface Subject {
  readonly cluster?: string;
  readonly service?: string;
  readonly version?: string;
  readonly revision?: number;
}

export interface ScreenDefinition {
  readonly name: ScreenName;
  readonly label: string;
  /** Null: it is only opened from another one. */
  readonly key: string | null;
  /** Which of the subjects it shows; null: all there is. */
  readonly about: 'cluster' | 'service' | null;
  readonly sorts: readonly string[];
  /** Those that can be left out, in the order drawn. */
  readonly columns: (sight: Sight) => readonly { readonly id: string; readonly title: string }[];
  /** The top of the list is the newest, and who stands there follows it. */
  readonly follows: boolean;
  /** The identities of the rows, in the order drawn. */
  readonly ids: (looking: Looking) => readonly string[];
  readonly lines: (sight: Sight, height: number) => Frame;
  readonly subjectOf: (looking: Looking, id: string) => Subject;
  /** Where Enter leads. */
  readonly opens: ScreenName | 'revision' | null;
  /** What its charts are of, by the selected row; null: it has none. */
  readonly charts: ((looking: Looking, id: string | null) => Charted | null) | null;
  /** The time that a row tells of; null: it tells of none. Where no row does, there is no such key. */
  readonly hasMoments: boolean;
  readonly momentOf: (looking: Looking, id: string) => Moment | null;
  /** All that is known of a row, for what no line has room for; null: its line has it all. */
  readonly detailOf: (looking: Looking, id: string) => { readonly title: string; readonly lines: readonly string[] } | null;
  /** The rows as they are, for a file. */
  readonly exported: (looking: Looking) => readonly unknown[];
}

export interface ListScreen<Row> extends Arrangement<Row> {
  readonly name: ScreenName;
  readonly label: string;
  readonly key: string | null;
  readonly about?: 'cluster' | 'service';
  readonly follows?: true;
  readonly opens?: ScreenName | 'revision';
  readonly rows: (looking: Looking) => readonly Row[];
  readonly table: (sight: Sight, rows: readonly Row[]) => Table<Row>;
  /** `clusters`: what the rule above the list calls its rows. */
  readonly noun: string;
  /** Said where there are no rows at all. */
  readonly none: (looking: Looking) => string;
  readonly subject: (row: Row) => Subject;
  /** What its charts are of; null: there is no row, and they are of one. */
  readonly charts?: (row: Row | null, looking: Looking) => Charted | null;
  readonly moment?: (row: Row, looking: Looking) => Moment | null;
  readonly detail?: (row: Row) => { readonly title: string; readonly lines: readonly string[] } | null;
  /** Lines above and below the list, at most so many; the list has at least four lines for rows. */
  readonly above?: (sight: Sight, height: number, rows: readonly Row[]) => Frame;
  readonly below?: (sight: Sight, height: number, rows: readonly Row[]) => Frame;
}

/** Lines of a list besides its rows: its rule and its head. */
const LIST_FRAME = 2;
const LEAST_ROWS = 4;

export function listScreen<Row>(screen: ListScreen<Row>): ScreenDefinition {
  const kept = remember<readonly Row[]>();
  const arranged = ({ state, snapshot, list }: Looking): readonly Row[] =>
    kept([snapshot, state.subjects, list.filter, list.sort, list.reverse, state.results], () =>
      arrange(screen.rows({ state, snapshot, list }), list, screen),
    );
  const find = (looking: Looking, id: string | null): Row | null => arranged(looking).find((each) => screen.id(each) === id) ?? null;
  const { charts, moment, detail } = screen;
  return {
    name: screen.name,
    label: screen.label,
    key: screen.key,
    about: screen.about ?? null,
    sorts: Object.keys(screen.sorts),
    columns: (sight) => screen.table(sight, arranged(sight)).columns.slice(1),
    follows: screen.follows === true,
    opens: screen.opens ?? null,
    ids: (looking) => arranged(looking).map(screen.id),
    exported: arranged,
    subjectOf: (looking, id) => {
      const row = find(looking, id);
      return row === null ? {} : screen.subject(row);
    },
    charts: charts === undefined ? null : (looking, id) => charts(find(looking, id), looking),
    hasMoments: moment !== undefined,
    momentOf: (looking, id) => {
      const row = find(looking, id);
      return row === null ? null : (moment?.(row, looking) ?? null);
    },
    detailOf: (looking, id) => {
      const row = find(looking, id);
      return row === null ? null : (detail?.(row) ?? null);
    },
    lines: (sight, height) => screenLines(screen, { sight, rows: arranged(sight) }, height),
  };
}

function screenLines<Row>(
  screen: ListScreen<Row>,
  { sight, rows }: { readonly sight: Sight; readonly rows: readonly Row[] },
  height: number,
): Frame {
  const room = Math.max(0, height - LIST_FRAME - Math.min(LEAST_ROWS, Math.max(1, rows.length)));
  const above = (screen.above?.(sight, room, rows) ?? []).slice(0, room);
  const below = (screen.below?.(sight, room - above.length, rows) ?? []).slice(0, room - above.length);
  const listHeight = height - above.length - below.length;
  const list = listSection(screen, { sight, rows }, listHeight - LIST_FRAME);
  const padded = below.length === 0 ? list : Array.from({ length: listHeight }, (_, index) => list[index] ?? []);
  return [...above, ...padded, ...below];
}

/** The rule, the head, and up to `height` rows. */
export function listSection<Row>(
  screen: ListScreen<Row>,
  { sight, rows }: { readonly sight: Sight; readonly rows: readonly Row[] },
  height: number,
): Frame {
  const { state, list, glyphs } = sight;
  const all = screen.rows(sight).length;
  const empty = all === 0 ? screen.none(sight) : 'nothing matches the filter; Esc clears it';
  const table = withoutColumns(screen.table(sight, rows), list.hidden);
  return [
    ruleLine(listTitle(screen.noun, list, { shown: rows.length, all }), state.size.columns, glyphs),
    ...listLines({ state, list, glyphs, rows, id: screen.id, table, height, empty }),
  ];
}
