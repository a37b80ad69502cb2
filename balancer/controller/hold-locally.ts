// A change of this host alone, while it is cut off from its fleet: by all rules of a change, and held apart from the intent of the fleet.
import { chainRevision } from '../intent/revision.ts';
import type { Change, TimedChange } from '../intent/intent.ts';
import type { ApiProblem, AskedChange } from './api/views.ts';
import type { Caller } from './appliance.ts';
import type { Proposal, WholeRequest } from './change.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';

/** Those that steer; what else there is needs the whole fleet. */
export function isTimed(change: AskedChange | Change): change is TimedChange {
  return change.kind === 'shift' || change.kind === 'shift_clusters' || change.kind === 'admin' || change.kind === 'dial';
}

/** Null: this host may be changed alone. */
export async function whyNotLocal(edge: Edge, change: AskedChange): Promise<ApiProblem | null> {
  if (edge.options.fleet === null)
    return { code: 'usage', message: '--local is for a host that is cut off from its fleet, and this one is alone: leave --local away' };
  if (!isTimed(change))
    return {
      code: 'usage',
      message: `--local is for what steers: shift, drain, restore, maintenance and dial; a ${change.kind.replace('_', ' ')} waits until the fleet can be asked`,
    };
  if (change.overMs !== undefined)
    return { code: 'usage', message: '--local is there at once, and --over is for what all hosts do alike: leave one of the two away' };
  if ((await edge.fleet.cutOff()) !== null) return null;
  const message =
    'the fleet can be asked, so a change of one host alone would only set it apart from the others: leave --local away, and the change is in force on all hosts';
  return { code: 'unsafe', message };
}

/** Holds it, and says so to whoever looks; answers with what is said to the one who asked. Throws when the store takes nothing. */
export function holdLocally(edge: Edge, request: WholeRequest, caller: Caller, { intent, touched, summary, overruled }: Proposal): string {
  const { change, reason = '' } = request;
  const { clock } = edge.options;
  const forMs = isTimed(change) ? change.forMs : undefined;
  const record = chainRevision(
    {
      ...{ revision: intent.revision - 1, at: new Date(clock.wallMs()).toISOString(), author: caller.author },
      ...{ source: 'operator' as const, reason, change, touched, undoes: null },
      ...(overruled === undefined ? {} : { overruled }),
    },
    edge.keeper.newest,
  );
  const { number } = edge.local.add(record, forMs === undefined ? null : new Date(fleetWallMs(edge) + forMs).toISOString());
  const said = `local change ${number}, on ${edge.config.hostName} alone: ${summary}`;
  edge.events.add('fleet.local', `LOCAL: ${said} (by ${caller.author.name}${reason === '' ? '' : `: ${reason}`})`);
  if (overruled !== undefined)
    edge.events.add('revision.glass_broken', `GLASS BROKEN: local change ${number} overrules ${overruled.join(', ')}: ${reason}`);
  return said;
}
