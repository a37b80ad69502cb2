// What happened and who changed what, newest first: events of this host, and before them the audit's revisions. The top row follows.
import type { EventView } from '../../../balancer/controller/api/views.ts';
import { byText } from '../arrange.ts';
import type { Searchable } from '../filter.ts';
import { listScreen, type Looking } from '../screen-definition.ts';
import { EVENT_TABLE, type EventRow } from '../views/event-table.ts';

/** Events are of this controller's life; what the audit has from before is older than all of them. */
function rowsOf({ snapshot }: Looking): readonly EventRow[] {
  const { events } = snapshot.status;
  const oldest = events.at(-1)?.at ?? '9999';
  const audit = (snapshot.extras?.revisions ?? []).filter(({ at }) => at < oldest);
  return [
    ...events.map((event: EventView): EventRow => ({ id: String(event.sequence), at: event.at, kind: event.kind, text: event.text })),
    ...audit.map(({ revision, at, author, how, fields, reason, source }): EventRow => {
      const why = reason === '' ? '' : ` (${reason})`;
      return {
        id: `r${revision}`,
        at,
        kind: 'audit',
        text: `revision ${revision} by ${author}, ${how || source}: ${fields.join(', ')}${why}`,
      };
    }),
  ];
}

function search(row: EventRow): Searchable {
  return { text: `${row.kind} ${row.text}`, fields: { kind: [row.kind], state: [row.kind], name: [row.text] } };
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
  subject: ({ id }) => (id.startsWith('r') ? { revision: Number(id.slice(1)) } : {}),
  opens: 'revision',
  table: () => EVENT_TABLE,
});
