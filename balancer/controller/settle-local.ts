// What becomes of what a host was changed by while it was cut off: each is asked of the whole fleet, by all rules, or the fleet's stands. Nothing of it
// happens by itself.
import { sameJson } from '../config/canonical-json.ts';
import type { Change, TouchedField } from '../intent/intent.ts';
import type { ApiProblem, LocalRequest, LocalView } from './api/views.ts';
import type { Caller } from './appliance.ts';
import { makeChange } from './change.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';
import { fieldName, fits, type LocalChange } from './fleet/local-changes.ts';
import { isTimed } from './hold-locally.ts';

/** Revisions that are looked through for who changed a field meanwhile. */
const LOOK_BACK = 200;
/** As long as a reason may be. */
const MAX_REASON = 500;

export function localViews(edge: Edge): readonly LocalView[] {
  return edge.local.all.map((change): LocalView => {
    const { number, record, until, ended, held } = change;
    const isFit = fits(change, edge.keeper.intent);
    return {
      ...record,
      ...{ local: number, host: edge.config.hostName, until },
      state: ended !== null ? 'ended' : isFit ? 'held' : 'unfit',
      fields: held.filter(({ before, after }) => !sameJson(before, after)).map(fieldName),
      note: ended ?? (isFit ? '' : 'the config has no such place any more: it changes nothing'),
      conflicts: ended !== null ? [] : held.flatMap((field) => conflictOf(edge, record.revision, field)),
    };
  });
}

/** Has to run alone (`Edge.changes`). Null: done; else why not, and what comes before it in the list is done. */
export async function settleLocal(edge: Edge, request: LocalRequest, caller: Caller): Promise<ApiProblem | null> {
  const { number } = request;
  const chosen = edge.local.held.filter((change) => number === undefined || change.number === number);
  if (chosen.length === 0) {
    const which = number === undefined ? 'nothing' : `no local change ${number}`;
    return { code: 'not_found', message: `${edge.config.hostName} holds ${which} against its fleet; weir local list shows what there was` };
  }
  if (request.act === 'merge') return mergeAll(edge, chosen, request, caller);
  for (const change of chosen) edge.local.end(change.number, `discarded by ${caller.author.name}${reasonText(request)}`);
  tell(edge, chosen, `discarded by ${caller.author.name}: the fleet's stands${reasonText(request)}`);
  edge.loop.recompute();
  return null;
}

async function mergeAll(edge: Edge, chosen: readonly LocalChange[], request: LocalRequest, caller: Caller): Promise<ApiProblem | null> {
  const cutOff = await edge.fleet.cutOff();
  if (cutOff !== null)
    return {
      code: 'unreachable',
      message: `the fleet cannot be asked (${cutOff}), so nothing can be merged into what it has; this host goes on with what it holds`,
    };
  const conflicts = chosen.flatMap(({ record, held }) => held.flatMap((field) => conflictOf(edge, record.revision, field)));
  if (conflicts.length > 0 && request.yes !== true) {
    const message = `the fleet has changed the same since: ${[...new Set(conflicts)].join('; ')}. A merge would put this host's in its place`;
    return { code: 'confirm', message, question: `${message}. Go on?` };
  }
  for (const change of chosen) {
    const problem = await merge(edge, change, request, caller);
    if (problem === null) continue;
    return { ...problem, message: `local change ${change.number}: ${problem.message}` };
  }
  return null;
}

/** Ends its being held only when the fleet has it. */
async function merge(
  edge: Edge,
  { number, record, until }: LocalChange,
  request: LocalRequest,
  caller: Caller,
): Promise<ApiProblem | null> {
  const { yes = false, breakGlass = false } = request;
  const { change } = record;
  if (change === null) return { code: 'internal', message: 'it says nothing that could be asked of the fleet; discard it' };
  const made = `${record.at.slice(0, 19).replace('T', ' ')} UTC by ${record.author.name}`;
  const said = [record.reason, request.reason ?? ''].filter((text) => text !== '').join('; ');
  const reason = `local change ${number} of ${edge.config.hostName}, made ${made}${said === '' ? '' : `: ${said}`}`.slice(0, MAX_REASON);
  const asked = remaining(change, until, fleetWallMs(edge));
  // That it stays was said when it was made.
  const outcome = await makeChange(edge, { change: asked, reason, yes, breakGlass, permanent: until === null }, caller);
  if (!outcome.ok) return outcome.problem;
  const { revision, changed } = outcome.value;
  edge.local.end(
    number,
    changed ? `merged as revision ${revision} by ${caller.author.name}` : `the fleet has the same at revision ${revision}`,
  );
  tell(edge, [{ number }], changed ? `merged as revision ${revision} by ${caller.author.name}` : 'the fleet has the same');
  edge.loop.recompute();
  return null;
}

/** What was to return by itself still does so at the same time. */
function remaining(change: Change, until: string | null, wallMs: number): Change {
  if (until === null || !isTimed(change)) return change;
  return { ...change, forMs: Math.max(1000, Date.parse(until) - wallMs) };
}

/** Who of the fleet has changed the field since the revision that it was changed on here. */
function conflictOf(edge: Edge, since: number, { path, after }: TouchedField): readonly string[] {
  const name = fieldName({ path });
  for (const { revision, author, touched } of edge.options.store.revisions(LOOK_BACK)) {
    if (revision <= since) return [];
    const now = touched.find((field) => fieldName(field) === name && field.path[0] === path[0]);
    if (now !== undefined) return sameJson(now.after, after) ? [] : [`${name} by revision ${revision} of ${author.name}`];
  }
  return [];
}

function tell(edge: Edge, changes: readonly Pick<LocalChange, 'number'>[], what: string): void {
  for (const { number } of changes) edge.events.add('fleet.local', `LOCAL: local change ${number} of ${edge.config.hostName}: ${what}`);
}

function reasonText({ reason = '' }: LocalRequest): string {
  return reason === '' ? '' : ` (${reason})`;
}
