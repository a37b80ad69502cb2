// What a second person makes of a change that waits: it is run again as it was asked for, through the same rules, or dropped.
import type { ApprovalRequest, ApprovalResult } from '../api/approval-view.ts';
import type { ApiProblem, DrillRequest, DrillView } from '../api/views.ts';
import type { Caller, ConfigApplyResult, Outcome } from '../appliance.ts';
import { roleAllows } from '../auth/tokens.ts';
import { makeChange } from '../change.ts';
import type { Edge } from '../edge.ts';
import { approvalViews } from './approval-views.ts';
import type { Approved } from './gate.ts';
import type { Pending } from './pending.ts';
import { notSecond } from './rule.ts';

/** How what is no change of the intent alone is run again. */
export interface Runs {
  readonly drill: (request: DrillRequest, caller: Caller, approved: Approved) => Promise<Outcome<DrillView>>;
  readonly config: (
    asked: { readonly text: string; readonly dryRun: boolean },
    caller: Caller,
    approved: Approved,
  ) => Promise<Outcome<ConfigApplyResult>>;
}

export interface Decision extends ApprovalRequest {
  readonly id: string;
  readonly caller: Caller;
}

/** Has to run alone (`Edge.changes`). */
export async function decide(edge: Edge, decision: Decision, runs: Runs): Promise<Outcome<ApprovalResult>> {
  const { id, caller } = decision;
  const pending = edge.approvals.find(id);
  if (pending === null) {
    await edge.fleet.refresh();
    return refuse(notHere(edge, id));
  }
  const { waiting, summary } = pending;
  if (decision.verdict === 'reject') {
    if (decision.dryRun !== true) {
      edge.approvals.drop(id);
      const why = decision.reason === undefined ? '' : ` (${decision.reason})`;
      edge.events.add('revision.approval_ended', `approval ${id} rejected by ${caller.author.name}: ${summary}${why}`);
    }
    return { ok: true, value: { ...NOTHING, id } };
  }
  if (waiting.kind === 'config' && !roleAllows(caller.role, 'admin'))
    return refuse({ code: 'forbidden', message: `${id} is a config, and your role is ${caller.role}; it needs role admin` });
  const unfit = notSecond(pending.caller, caller, id);
  if (unfit !== null && decision.dryRun !== true) return refuse({ code: 'unsafe', message: unfit });
  const made = await run(edge, pending, { decision, runs });
  if (made.ok && decision.dryRun !== true) edge.approvals.drop(id);
  return made;
}

const NOTHING = { change: null, drill: null, config: null } as const;

async function run(
  edge: Edge,
  { id, waiting, caller, basis }: Pending,
  { decision, runs }: { readonly decision: Decision; readonly runs: Runs },
): Promise<Outcome<ApprovalResult>> {
  const approved: Approved = { by: decision.caller.author, basis };
  const dryRun = decision.dryRun === true;
  switch (waiting.kind) {
    case 'change': {
      const { request } = waiting;
      const yes = request.yes === true || decision.yes === true;
      const made = await makeChange(edge, { ...request, dryRun, yes }, caller, approved);
      return made.ok ? { ok: true, value: { ...NOTHING, id, change: made.value } } : made;
    }
    case 'drill': {
      if (dryRun) return refuse({ code: 'usage', message: 'a drill has no dry run; weir drain CLUSTER --dry-run shows what moves' });
      const made = await runs.drill(waiting.request, caller, approved);
      return made.ok ? { ok: true, value: { ...NOTHING, id, drill: made.value } } : made;
    }
    case 'config': {
      const made = await runs.config({ text: waiting.text, dryRun }, caller, approved);
      return made.ok ? { ok: true, value: { ...NOTHING, id, config: made.value } } : made;
    }
  }
}

function notHere(edge: Edge, id: string): ApiProblem {
  const all = approvalViews(edge);
  const elsewhere = all.find((one) => one.id === id);
  if (elsewhere !== undefined)
    return { code: 'not_found', message: `${id} is kept by host ${elsewhere.host}: approve or reject it there (weir --server https://…)` };
  const known = all.length === 0 ? 'nothing waits' : `there ${all.length === 1 ? 'is' : 'are'} ${all.map((one) => one.id).join(', ')}`;
  return { code: 'not_found', message: `nothing waits as ${JSON.stringify(id)}: it was approved, rejected or too old; ${known}` };
}

function refuse(problem: ApiProblem): Outcome<never> {
  return { ok: false, problem };
}
