// What happened and who changed what, newest first: events of this host, and before them the audit's revisions. The top row follows.
import type { EventView } from '../../../balancer/controller/api/views.ts';
import { byText } from '../arrange.ts';
import type { Searchable } from '../filter.ts';
import type { Moment } from '../past.ts';
import { listScreen, type Looking } from '../screen-definition.ts';
import { eventTable, type EventRow } from '../views/event-table.ts';
import { isNamed } from '../views/naming.ts';

/** Events are of this controller's life; what the audit has from before is older than all of them. */
function rowsOf({ snapshot }: Looking): readonly EventRow[] {
  const { events } = snapshot.status;
  const oldest = events.at(-1)?.at ?? '9999';
  const told = new Set(events.map(revisionOf));
  const audit = (snapshot.extras?.revisions ?? []).filter(({ at, revision }) => at < oldest && !told.has(revision));
  return [
    ...events.map((event: EventView): EventRow => ({ ...event, id: String(event.sequence) })),
    ...audit.map(({ revision, at, author, how, fields, what, reason, source }): EventRow => {
      const why = reason === '' ? '' : ` (${reason})`;
      return {
        id: `r${revision}`,
        at,
        ...{ kind: 'audit', code: 'audit', severity: 'info' },
        text: `revision ${revision} by ${author}, ${how || source}: ${what.length === 0 ? fields.join(', ') : what.join('; ')}${why}`,
      };
    }),
  ];
}

function search(row: EventRow): Searchable {
  return {
    text: `${row.kind} ${row.text}`,
    fields: { kind: [row.kind], code: [row.code], severity: [row.severity], state: [row.severity, row.kind], name: [row.text] },
  };
}

/** Of an event that tells of a change, and of what the audit has. */
function revisionOf({ text }: Pick<EventRow, 'text'>): number | null {
  const [, revision] = /^revision (\d+)\b/.exec(text) ?? [];
  return revision === undefined ? null : Number(revision);
}

/** The cluster that it is about, else the service. */
function momentOf({ at, text }: EventRow, { snapshot: { status } }: Looking): Moment {
  const find = (all: readonly { readonly name: string }[]): string | undefined => all.find(({ name }) => isNamed(text, name))?.name;
  return { atMs: Date.parse(at), cluster: find(status.clusters), service: find(status.services) };
}

export const eventsScreen = listScreen<EventRow>({
  name: 'events',
  label: 'events',
  key: '7',
  follows: true,
  noun: 'events',
  // Of one moment the later one comes first.
  id: (row) => row.id,
  search,
  sorts: { newest: (a, b) => byText(b.at, a.at) || Number(b.id) - Number(a.id) },
  rows: rowsOf,
  none: () => 'nothing has happened yet',
  subject: (row) => {
    const revision = revisionOf(row);
    return revision === null ? {} : { revision };
  },
  moment: momentOf,
  detail: ({ at, kind, code, severity, text }) => ({
    title: `${kind} of ${at}`,
    lines: [text, '', `code ${code}, ${severity}: docs/events.md has what it means`],
  }),
  opens: 'revision',
  table: ({ snapshot: { status } }) => eventTable(status.at.slice(0, 10)),
});
