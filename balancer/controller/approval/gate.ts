// The gate before a change of a service that takes two people: it goes on, or is kept until somebody approves.
import type { Author } from '../../intent/intent.ts';
import type { Outcome } from '../appliance.ts';
import type { Edge } from '../edge.ts';
import { MOST_PENDING } from './approvals.ts';
import type { Pending } from './pending.ts';
import { APPROVAL_RULE } from './rule.ts';

/** What a second person has said yes to. */
export interface Approved {
  readonly by: Author;
  readonly basis: string;
}

export interface AtTheGate extends Omit<Pending, 'id' | 'at' | 'until'> {
  readonly approved: Approved | null;
  readonly breakGlass: boolean;
  /** What helps in an emergency. */
  readonly emergency: string;
}

/** What the record says of it. */
export interface Passed {
  readonly approvedBy?: Author;
  /** Absent: the rule was not in the way. */
  readonly overruled?: readonly [typeof APPROVAL_RULE];
}

export const BREAK_GLASS = 'in an emergency --break-glass --reason TEXT overrules it, and the audit says so';

/** Has to run alone (`Edge.changes`). */
export function passGate(edge: Edge, { approved, breakGlass, emergency, ...asked }: AtTheGate): Outcome<Passed> {
  const { services, summary, caller, basis } = asked;
  if (approved !== null) {
    if (approved.basis === basis) return { ok: true, value: { approvedBy: approved.by } };
    const message = `what "${summary}" is about is not any more what it was when ${caller.author.name} asked for it; look at weir history, and ask for it again`;
    return { ok: false, problem: { code: 'conflict', message, revision: edge.keeper.intent.revision } };
  }
  if (services.length === 0) return { ok: true, value: {} };
  if (breakGlass) return { ok: true, value: { overruled: [APPROVAL_RULE] } };
  const { approvals, config, events } = edge;
  const known = new Set(approvals.all().map(({ id }) => id));
  const pending = approvals.keep(asked, config.safety.approval.waitMs);
  const rule = `(rule ${APPROVAL_RULE})`;
  if (pending === null) {
    const message = `${services.join(', ')} takes two people ${rule}, and ${MOST_PENDING} changes wait already: approve or reject some first (weir get approvals)`;
    return { ok: false, problem: { code: 'unsafe', message } };
  }
  const { id, until } = pending;
  const who = `${caller.author.name} asks for it`;
  if (!known.has(id))
    events.add('revision.approval_wanted', `approval ${id}: ${summary}: ${who}, and somebody else has to approve until ${spoken(until)}`);
  const where = edge.options.fleet === null ? '' : `, at host ${config.hostName}, which keeps it`;
  const message =
    `${summary}: nothing is changed yet. ${services.join(', ')} takes two people ${rule}: it waits as ${id} until ${spoken(until)}. ` +
    `Somebody else, with a token, says: weir approve ${id}${where}; or weir reject ${id}. Or ${emergency}`;
  return { ok: false, problem: { code: 'approval', message, approval: id } };
}

function spoken(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}
