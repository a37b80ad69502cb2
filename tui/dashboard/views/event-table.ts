// Events, one line each: when, what kind, what happened.
import type { EventView } from '../../../balancer/controller/api/views.ts';
import type { Table } from '../columns.ts';
import { formatTimeOfDay } from '../format.ts';
import type { Style } from '../frame.ts';

export interface EventRow {
  readonly id: string;
  readonly at: string;
  readonly kind: EventView['kind'] | 'audit';
  readonly text: string;
}

const KIND_STYLE: Readonly<Record<EventRow['kind'], Style>> = {
  audit: 'accent',
  revision: 'accent',
  config: 'accent',
  health: 'warn',
  ejection: 'warn',
  agent: 'plain',
  worker: 'plain',
  rollout: 'accent',
  drill: 'accent',
  fleet: 'accent',
  security: 'warn',
  controller: 'plain',
};

export const EVENT_TABLE: Table<Pick<EventRow, 'at' | 'kind' | 'text'>> = {
  columns: [
    {
      id: 'at',
      title: 'TIME UTC',
      align: 'left',
      narrow: 8,
      wide: 8,
      value: (row) => formatTimeOfDay(Date.parse(row.at)),
      style: () => 'dim',
    },
    { id: 'kind', title: 'KIND', align: 'left', narrow: 10, wide: 10, value: (row) => row.kind, style: (row) => KIND_STYLE[row.kind] },
    { id: 'text', title: 'EVENT', align: 'left', narrow: 10, wide: 10, upTo: () => Number.MAX_SAFE_INTEGER, value: (row) => row.text },
  ],
  steps: [],
};
