// Events, one line each: when, what kind, what happened.
import type { EventView } from '../../../balancer/controller/api/views.ts';
import type { Table } from '../columns.ts';
import { formatTimeOfDay } from '../format.ts';
import type { Style } from '../frame.ts';

export interface EventRow {
  readonly id: string;
  readonly at: string;
  readonly kind: EventView['kind'] | 'audit';
  /** Of docs/events.md; `audit` for what the audit has. */
  readonly code: string;
  readonly severity: EventView['severity'];
  readonly text: string;
}

const KIND_STYLE: Readonly<Record<EventRow['kind'], Style>> = {
  audit: 'accent',
  revision: 'accent',
  config: 'accent',
  health: 'warn',
  plan: 'warn',
  ejection: 'warn',
  agent: 'plain',
  worker: 'plain',
  rollout: 'accent',
  drill: 'accent',
  fleet: 'accent',
  security: 'warn',
  controller: 'plain',
};

const SEVERITY_STYLE: Readonly<Record<EventView['severity'], Style>> = { info: 'plain', warning: 'warn', critical: 'bad' };

type Drawn = Pick<EventRow, 'at' | 'kind' | 'severity' | 'text'>;

/** `today`: as in `at`; events of other days have theirs. */
export function eventTable(today: string): Table<Drawn> {
  const isOfToday = ({ at }: Drawn): boolean => at.slice(0, 10) === today;
  return {
    columns: [
      {
        ...{ id: 'at', title: 'TIME UTC', align: 'left', narrow: 8, wide: 8 },
        upTo: (rows) => (rows.every(isOfToday) ? 8 : 14),
        value: (row, width) => {
          const time = formatTimeOfDay(Date.parse(row.at));
          return width < 14 ? time : `${isOfToday(row) ? '     ' : row.at.slice(5, 10)} ${time}`;
        },
        style: () => 'dim',
      },
      { id: 'kind', title: 'KIND', align: 'left', narrow: 10, wide: 10, value: (row) => row.kind, style: (row) => KIND_STYLE[row.kind] },
      {
        ...{ id: 'text', title: 'EVENT', align: 'left', narrow: 10, wide: 10 },
        upTo: () => Number.MAX_SAFE_INTEGER,
        value: (row) => row.text,
        style: (row) => SEVERITY_STYLE[row.severity],
      },
    ],
    steps: [],
  };
}
