// Changes that return by themselves, as the API shows them.
import { pathOf } from '../intent/override.ts';
import type { TimedView } from './api/views.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';

/** The next one first. */
export function timedViews(edge: Edge): readonly TimedView[] {
  const wallMs = fleetWallMs(edge);
  return Object.entries(edge.keeper.intent.overrides ?? {})
    .map(([id, { until, fields }]): TimedView => ({
      revision: Number(id),
      until,
      remainingSeconds: Math.max(0, Math.ceil((Date.parse(until) - wallMs) / 1000)),
      fields: fields.map((field) => ({
        field: pathOf(field).slice(1).join('.'),
        cluster: 'cluster' in field ? field.cluster : null,
        service: 'service' in field ? field.service : null,
        held: typeof field.held === 'object' ? JSON.stringify(field.held) : String(field.held),
        before: typeof field.before === 'object' ? JSON.stringify(field.before) : String(field.before),
      })),
    }))
    .sort((one, other) => one.remainingSeconds - other.remainingSeconds);
}
