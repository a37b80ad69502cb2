// One change asked for by an operator: judged, previewed with the same plan as the live one, stored, and followed until the workers serve it.
import { AT_ONCE } from '../config/rollout-config.ts';
import { diffIntent } from '../intent/diff.ts';
import { glidedIntent } from '../intent/glide.ts';
import type { Author, Change, Intent, TouchedField } from '../intent/intent.ts';
import { refusalText } from '../intent/rules.ts';
import type { Facts } from '../intent/safety.ts';
import { applyTimed } from '../intent/timed-change.ts';
import { redo, undo } from '../intent/undo.ts';
import { applyRollout, rolloutToTakeBack, takeBackRollout } from '../rollout/apply-rollout.ts';
import type { Planned } from '../steer/plan.ts';
import type { DemandView } from '../steer/plan-shape.ts';
import type { ExpectedView } from './api/agent-view.ts';
import type { ApiProblem, AppliedView, AskedChange, ChangeRequest, ChangeResult } from './api/views.ts';
import type { Caller, Outcome } from './appliance.ts';
import { BREAK_GLASS, passGate, type Approved, type AtTheGate, type Passed } from './approval/gate.ts';
import { basisOf, undoneBy } from './approval/pending.ts';
import { mayNotWait, servicesTouched } from './approval/rule.ts';
import { clusterShares, shareChanges } from './cluster-shares.ts';
import type { CommitOutcome } from './intent-keeper.ts';
import { questionBefore } from './confirm.ts';
import { tellEndedOverrides } from './driver/expiries.ts';
import { momentOf } from './driver/rollouts.ts';
import type { Edge } from './edge.ts';
import { forecastOf } from './forecast.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';
import { holdersOf, namingHolders } from './fleet/holders.ts';
import { holdLocally, isTimed, whyNotLocal } from './hold-locally.ts';
import { switchBreaches, type SwitchWish } from './switch-check.ts';

/** For every ready worker to serve a change. */
const SERVE_DEADLINE_MS = 3000;
/** With the way to the store before, who does not serve it is named within three seconds. */
const FLEET_DEADLINE_MS = 2000;

/** What a change comes to, before it is made. */
export interface Proposal {
  readonly intent: Intent;
  readonly touched: readonly TouchedField[];
  readonly summary: string;
  readonly undoes: number | null;
  readonly overruled?: readonly string[];
  readonly approvedBy?: Author;
}

/** Has to run alone (`Edge.changes`). `approved`: a second person has said yes to what `caller` asked for. */
export async function makeChange(
  edge: Edge,
  request: ChangeRequest,
  caller: Caller,
  approved: Approved | null = null,
): Promise<Outcome<ChangeResult>> {
  const { clock } = edge.options;
  const startedAtMs = clock.nowMs();
  const { dryRun = false, ifRevision, local = false } = request;
  const notHere = local ? await whyNotLocal(edge, request.change) : null;
  if (notHere !== null) return refuse(notHere);
  const before = local ? edge.intent : edge.keeper.intent;
  if (ifRevision !== undefined && ifRevision !== before.revision) return moved(before.revision, `it was expected at ${ifRevision}`);
  const unsaid = unsaidReason(request);
  if (unsaid !== null) return refuse({ code: 'usage', message: unsaid });
  const whole = { ...request, change: wholeChange(edge, request.change) };
  const proposed = propose(edge, whole, before, caller);
  // What a rule forbids can still be looked at.
  const looked = proposed.ok || !dryRun ? proposed : propose(edge, { ...whole, breakGlass: true }, before, caller);
  if (!looked.ok) return proposed.ok ? looked : proposed;
  const proposal = looked.value;
  const planBefore = edge.loop.preview(edge.planFacts(edge.local.over(before)));
  const after = edge.planFacts(local ? proposal.intent : edge.local.over(proposal.intent));
  // What comes little by little is looked at when it has come.
  const planAfter = edge.loop.preview({ ...after, wallMs: arrivalMs(edge, proposal.intent) });
  const changed = proposal.touched.length > 0;
  const services = mayNotWait(whole.change)
    ? []
    : servicesTouched([...proposal.touched, ...movedAtOnce(edge, before, proposal)], edge.config);
  const demand = edge.demand();
  // What is about to happen is not foretold: it costs the loss of every cluster, worked out.
  const forecast = dryRun
    ? { ...forecastOf(planBefore, planAfter, { demand, assigned: edge.assigned() }), expected: expectedOf(edge, proposal, local) }
    : null;
  const result = (
    applied: ChangeResult['applied'],
    { summary, revision }: Made = { summary: proposal.summary, revision: edge.keeper.intent.revision },
  ): Outcome<ChangeResult> => ({
    ok: true,
    value: {
      ...{ revision, previousRevision: before.revision, changed, dryRun, local, summary },
      ...{ shares: shareChanges(planBefore.plan, planAfter.plan), forecast, applied },
      refusals: proposed.ok ? [] : [proposed.problem.message],
      needsApproval: dryRun && approved === null && request.breakGlass !== true ? services : [],
      // What was purged is gone.
      undo: local ? 'weir local discard' : whole.change.kind === 'purge' ? '' : 'weir undo',
    },
  });
  if (dryRun) return result(null);
  let made: Made = { summary: proposal.summary, revision: edge.keeper.intent.revision };
  if (changed) {
    const sharesBefore = clusterShares(planBefore.plan, demand);
    const sharesAfter = clusterShares(planAfter.plan, demand);
    const question = request.yes === true ? null : questionBefore({ before, after: proposal.intent, sharesBefore, sharesAfter });
    if (question !== null) return refuse({ code: 'confirm', message: `${question.replace(/ Go on\?$/, '')} Say --yes to do it`, question });
    const passed = passGate(edge, atTheGate(whole, proposal, { caller, approved, services }));
    if (!passed.ok) return passed;
    const stored = await store(edge, whole, caller, withPassed(proposal, passed.value));
    if (!stored.ok) return stored;
    made = stored.value;
  }
  return result({ ...(await applied(edge, proposal.touched, local)), tookMs: clock.nowMs() - startedAtMs }, made);
}

interface Made {
  /** What it says to people when it is stored. */
  readonly summary: string;
  /** Its own, whatever others make of it while the workers take it up. */
  readonly revision: number;
}

/** What is elsewhere at once, though it goes where it went: what was on its way is there without delay. */
function movedAtOnce(edge: Edge, before: Intent, { intent }: Proposal): readonly TouchedField[] {
  if (before.glides === undefined) return [];
  const wallMs = fleetWallMs(edge);
  return diffIntent(glidedIntent(before, wallMs), glidedIntent(intent, wallMs));
}

/** When what is about to be sent on its way has arrived: now, if it comes at once. */
function arrivalMs(edge: Edge, { glides, revision }: Intent): number {
  return fleetWallMs(edge) + (glides?.[String(revision)]?.overMs ?? 0);
}

/** What agents would be told of it. */
function expectedOf(edge: Edge, { intent }: Proposal, local: boolean): readonly ExpectedView[] {
  // What this host alone does is no change of the fleet's.
  if (local) return [];
  return edge.agents.prescale.ifChangedTo(intent).map(({ cluster, service, rps, before }) => ({ cluster, service, rps, before }));
}

/** Settles when the workers, and the other hosts of the fleet unless it is of this host alone, serve what is in force now. */
async function applied(edge: Edge, touched: readonly TouchedField[], local: boolean): Promise<AppliedView> {
  const served = { generation: edge.generation, plan: edge.loop.recompute() };
  const [here, fleet] = await Promise.all([
    edge.links.served(served, SERVE_DEADLINE_MS),
    local ? null : edge.fleet.served(edge.keeper.intent.revision, FLEET_DEADLINE_MS),
  ]);
  return { ...here, fleet: fleet === null ? null : namingHolders(fleet, holdersOf(edge), touched) };
}

async function store(edge: Edge, request: WholeRequest, caller: Caller, proposal: Proposal): Promise<Outcome<Made>> {
  if (request.local === true)
    return { ok: true, value: { summary: holdLocally(edge, request, caller, proposal), revision: edge.keeper.intent.revision } };
  const committed = await commit(edge, request, caller, proposal);
  if (committed.ok) return { ok: true, value: { summary: proposal.summary, revision: proposal.intent.revision } };
  if (committed.code === 'conflict') return moved(edge.keeper.intent.revision, `it changed meanwhile: ${committed.message}`);
  const alone = isTimed(request.change) && edge.options.fleet !== null ? '. To change this host alone until then: --local' : '';
  return refuse({ code: 'unreachable', message: `${committed.message}${alone}` });
}

/** Of a cluster that is not there, which is refused by its name. */
const STAY = { deadlineMs: null, tunnelsPerSecond: null };

/** With what the config says of rollouts and drains where the caller says nothing. */
function wholeChange(edge: Edge, change: AskedChange): Change {
  if (change.kind === 'admin' && change.state !== 'active')
    return { tunnels: edge.config.clusters[change.cluster]?.drain ?? STAY, ...change };
  if (change.kind !== 'rollout_start') return change;
  // A service that is not there is refused by its name.
  return { ...(edge.config.services[change.service]?.rollout ?? AT_ONCE), ...change };
}

/** A request whose change is whole. */
export type WholeRequest = ChangeRequest & { readonly change: Change };

/** What needs a reason and has none; null: nothing. */
function unsaidReason({ permanent, breakGlass, reason = '' }: ChangeRequest): string | null {
  if (reason !== '' || (permanent !== true && breakGlass !== true)) return null;
  return breakGlass === true
    ? '--break-glass overrules safety rules and needs a reason for the audit: --reason TEXT'
    : '--permanent needs a reason for the audit: --reason TEXT';
}

function propose(
  edge: Edge,
  { change, permanent = false, breakGlass = false, growth }: WholeRequest,
  intent: Intent,
  caller: Caller,
): Outcome<Proposal> {
  const facts = { ...edge.facts(), breakGlass };
  if (change.kind === 'undo') {
    const begun = change.to === null ? rolloutToTakeBack(edge.keeper.history(), intent) : null;
    if (begun !== null) {
      const moment = momentOf(edge, begun.service, `taken back by ${caller.author.name}`);
      const outcome = takeBackRollout(intent, begun.service, facts, { ...moment, overMs: change.overMs });
      return outcome.ok
        ? { ok: true, value: { ...outcome, undoes: begun.revision } }
        : refuse({ code: outcome.refusal.kind, message: outcome.refusal.message });
    }
    const outcome = undo(intent, change, edge.keeper.history(), facts);
    return outcome.ok ? { ok: true, value: outcome } : refuse({ code: outcome.refusal.kind, message: outcome.refusal.message });
  }
  if (change.kind === 'redo') {
    const outcome = redo(intent, edge.keeper.history(), facts, change.overMs);
    return outcome.ok ? { ok: true, value: outcome } : refuse({ code: outcome.refusal.kind, message: outcome.refusal.message });
  }
  if (change.kind === 'expire')
    return refuse({ code: 'usage', message: 'what was set for a time returns by itself; to return before, undo it' });
  const outcome =
    change.kind === 'rollout' || change.kind === 'rollout_start'
      ? applyRollout(intent, change, facts, momentOf(edge, change.service, caller.author.name))
      : applyTimed(intent, change, facts, { wallMs: fleetWallMs(edge), permanent });
  if (!outcome.ok) return refuse({ code: outcome.refusal.kind, message: outcome.refusal.message });
  const proposal = { ...outcome, undoes: null };
  return change.kind === 'rollout_start' && growth !== undefined
    ? checkedSwitch(edge, { service: change.service, to: change.to, growth }, { intent, facts, proposal })
    : { ok: true, value: proposal };
}

/** Before all of a service goes to another version. */
function checkedSwitch(
  edge: Edge,
  wish: SwitchWish,
  { intent, facts, proposal }: { readonly intent: Intent; readonly facts: Facts; readonly proposal: Proposal },
): Outcome<Proposal> {
  const preview = (after: Intent, demand: DemandView): Planned => edge.loop.preview({ ...edge.planFacts(after), demand });
  const breaches = switchBreaches(wish, { intent, facts, demand: edge.demand(), preview });
  const [first] = breaches;
  if (first === undefined) return { ok: true, value: proposal };
  if (facts.breakGlass !== true) return refuse({ code: 'unsafe', message: refusalText(first) });
  return { ok: true, value: { ...proposal, overruled: [...breaches.map(({ rule }) => rule), ...(proposal.overruled ?? [])] } };
}

function atTheGate(
  request: WholeRequest,
  { touched, summary, undoes }: Proposal,
  who: Pick<AtTheGate, 'caller' | 'approved' | 'services'>,
): AtTheGate {
  return {
    ...{ ...who, summary, emergency: BREAK_GLASS },
    waiting: { kind: 'change', request },
    reason: request.reason ?? '',
    basis: basisOf({ touched, undoes: undoneBy(request.change, undoes), config: null }),
    breakGlass: request.breakGlass === true,
  };
}

function withPassed(proposal: Proposal, { overruled, approvedBy }: Passed): Proposal {
  return {
    ...proposal,
    ...(overruled === undefined ? {} : { overruled: [...overruled, ...(proposal.overruled ?? [])] }),
    ...(approvedBy === undefined ? {} : { approvedBy }),
  };
}

async function commit(
  edge: Edge,
  request: WholeRequest,
  caller: Caller,
  { intent, touched, summary, undoes, overruled, approvedBy }: Proposal,
): Promise<CommitOutcome> {
  const { change, reason = '' } = request;
  const done = await edge.keeper.commit(intent, touched, {
    author: caller.author,
    source: 'operator',
    reason,
    change,
    undoes,
    ...(overruled === undefined ? {} : { overruled }),
    ...(approvedBy === undefined ? {} : { approvedBy }),
  });
  if (done.ok) {
    const names = approvedBy === undefined ? caller.author.name : `${caller.author.name}, approved by ${approvedBy.name}`;
    edge.events.add('revision.made', `revision ${intent.revision} by ${names}: ${summary}${reason === '' ? '' : ` (${reason})`}`);
    if (overruled !== undefined)
      edge.events.add(
        'revision.glass_broken',
        `GLASS BROKEN: revision ${intent.revision} by ${caller.author.name} overrules ${overruled.join(', ')}: ${reason}`,
      );
    tellEndedOverrides(edge, touched, intent.revision);
  }
  return done;
}

function moved(revision: number, why: string): Outcome<never> {
  return refuse({
    code: 'conflict',
    message: `the intent is at revision ${revision} and ${why}; look at \`weir history\` and try again`,
    revision,
  });
}

function refuse(problem: ApiProblem): Outcome<never> {
  return { ok: false, problem };
}
