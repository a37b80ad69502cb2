// Hosts that serve a change of the fleet, but for what they hold against it by local changes: they are named, since there it is not in force.
import type { TouchedField } from '../../intent/intent.ts';
import type { FleetAppliedView } from '../api/views.ts';
import type { Edge } from '../edge.ts';
import { fieldName } from './local-changes.ts';

export interface Holder {
  readonly name: string;
  readonly fields: readonly string[];
}

/** This host, and those of its fleet that live. */
export function holdersOf(edge: Edge): readonly Holder[] {
  const peers = edge.fleet.peers().filter(({ silentMs }) => silentMs === null);
  const all = [
    { name: edge.config.hostName, fields: edge.local.fields() },
    ...peers.map(({ presence: { name, localFields = [] } }) => ({ name, fields: localFields })),
  ];
  return all.filter(({ fields }) => fields.length > 0);
}

export function namingHolders(applied: FleetAppliedView, holders: readonly Holder[], touched: readonly TouchedField[]): FleetAppliedView {
  const names = new Set(touched.map(fieldName));
  const late = holders.flatMap(({ name, fields }) => {
    const held = fields.filter((field) => names.has(field));
    return held.length === 0 || applied.laggards.some((laggard) => laggard.startsWith(`${name} `))
      ? []
      : [`${name} (holds ${held.join(', ')} by a local change)`];
  });
  return { ...applied, acknowledged: applied.acknowledged - late.length, laggards: [...applied.laggards, ...late] };
}
