// Changes with a time: what they hold until then, and what the intent is when the time is over. Pure.
import { applyChange, conclude, type ChangeOutcome, type DirectChange } from './apply-change.ts';
import type { TimedAct } from '../config/safety-config.ts';
import { sameJson } from '../config/canonical-json.ts';
import type { ClusterIntent, Intent, Refusal, TimedChange } from './intent.ts';
import { fieldsSetBy, heldField, pathOf, putBack, withOverrides, type Field, type HeldField, type Overrides } from './override.ts';
import { isActive } from './rollout.ts';
import { refusalText, type Breach } from './rules.ts';
import type { Facts } from './safety.ts';
import { fit } from './undo.ts';

const SHORTEST_MS = 1000;
const LONGEST_MS = 30 * 86_400_000;

/**
 * Applies a change. With a time, what it sets is held until then and goes back to what it was before the first of several timed
 * changes; without one, what it sets stays, even where it was held for a time already.
 */
export function applyTimed(intent: Intent, change: DirectChange, facts: Facts, { wallMs, permanent }: Asked): ChangeOutcome {
  const known = { ...facts, wallMs: facts.wallMs ?? wallMs };
  const outcome = applyChange(intent, change, known);
  if (!outcome.ok || !isTimed(change)) return outcome;
  const { forMs } = change;
  const problem = forMs === undefined ? null : wrongTime(intent, change, forMs);
  if (problem !== null) return { ok: false, refusal: problem };
  const untimed = forMs === undefined && !permanent ? needsTime(change, facts) : null;
  if (untimed !== null && facts.breakGlass !== true) return { ok: false, refusal: { kind: 'unsafe', message: refusalText(untimed) } };
  const fields = fieldsSetBy(change, outcome.intent);
  const before = fields.reduce((lasting, field) => holdersOf(intent.overrides, field).reduce(putBack, lasting), intent);
  const held = fields.map((field) => heldField(field, before, outcome.intent)).filter((field) => field !== null);
  const others = withoutHolders(intent.overrides, fields);
  const until = forMs === undefined || held.length === 0 ? null : new Date(wallMs + forMs).toISOString();
  const overrides =
    until === null ? others : { ...others, [String(intent.revision + 1)]: { until, fields: held, ...returningOver(change) } };
  const after = withOverrides({ ...outcome.intent, revision: intent.revision }, overrides);
  const stays = until === null && Object.keys(others).length < Object.keys(intent.overrides ?? {}).length;
  const word = until !== null ? `, until ${spoken(until)}` : stays ? ', for good' : '';
  const summary = `${outcome.summary.replace(AS_IT_IS, '')}${word}`;
  const ended = conclude(intent, after, known, { summary, strictness: 'other' });
  return ended.ok && untimed !== null ? { ...ended, overruled: [untimed.rule, ...(ended.overruled ?? [])] } : ended;
}

/** A shift that comes at once does not return at once: nobody watches then. */
const RETURN_MS = 60_000;

/** As it came; a cluster that came at once returns in the ramp that it has after a failure, a shift within a part of the time that it was for. */
function returningOver(change: TimedChange): { readonly overMs?: number } {
  if (change.overMs !== undefined) return { overMs: change.overMs };
  if (change.kind === 'admin' || change.kind === 'dial') return {};
  return { overMs: Math.min(RETURN_MS, Math.max(SHORTEST_MS, Math.round((change.forMs ?? 0) / 4))) };
}

/** What is known of a change besides what it is. */
export interface Asked {
  readonly wallMs: number;
  /** Meant to stay, said in so many words. */
  readonly permanent: boolean;
}

function needsTime(change: TimedChange, { safety }: Facts): Breach | null {
  const act = actOf(change);
  if (act === null || safety?.requireExpiry.includes(act) !== true) return null;
  const message = `a ${act} needs a time here: say --for 2h, or --permanent with a --reason if it is to stay`;
  return { rule: 'safety.requireExpiry', message };
}

function actOf(change: TimedChange): TimedAct | null {
  if (change.kind === 'admin') return change.state === 'active' ? null : change.state;
  if (change.kind === 'dial') return change.percent < 100 ? 'dial' : null;
  return 'shift';
}

const AS_IT_IS = / \(as it is already\)$/;

/** Revisions whose time is over, the longest overdue first. */
export function overdue({ overrides }: Intent, wallMs: number): readonly number[] {
  return Object.entries(overrides ?? {})
    .filter(([, { until }]) => Date.parse(until) <= wallMs)
    .sort(([, one], [, other]) => Date.parse(one.until) - Date.parse(other.until))
    .map(([id]) => Number(id));
}

/** What was held goes back to what it was. */
export function endOverride(intent: Intent, id: number, facts: Facts): ChangeOutcome {
  const override = intent.overrides?.[String(id)];
  if (override === undefined)
    return { ok: false, refusal: { kind: 'not_found', message: `nothing is held for a time since revision ${id}` } };
  const others = Object.entries(intent.overrides ?? {}).filter(([other]) => other !== String(id));
  const fitted = fit(withOverrides(override.fields.reduce(putBack, intent), Object.fromEntries(others)), facts);
  if ('message' in fitted) return { ok: false, refusal: fitted };
  const { overMs, fields } = override;
  // Over a time of its own it comes back by that, and begins no ramp beside it.
  const ramped = fields.some((field) => 'cluster' in field) && overMs === undefined;
  const clusters = ramped
    ? Object.entries(fitted.clusters).map(([name, cluster]) => [name, returned(intent, name, cluster)] as const)
    : Object.entries(fitted.clusters);
  const what = override.fields.map((field) => pathOf(field).slice(1).join('.')).join(', ');
  const summary = `the time of revision ${id} is over, ${what} as before`;
  const glides = overMs === undefined ? {} : { sets: fields, overMs };
  return conclude(intent, { ...fitted, clusters: Object.fromEntries(clusters) }, facts, {
    ...{ summary, strictness: 'other', goesBack: true, ...glides },
  });
}

function isTimed(change: DirectChange): change is TimedChange {
  return change.kind === 'shift' || change.kind === 'shift_clusters' || change.kind === 'admin' || change.kind === 'dial';
}

function wrongTime(intent: Intent, change: TimedChange, forMs: number): Refusal | null {
  if (!(forMs >= SHORTEST_MS && forMs <= LONGEST_MS))
    return { kind: 'usage', message: `for: expected a time from 1 s to 30 days, such as 2h, got ${forMs / 1000} s` };
  if ((change.overMs ?? 0) > forMs)
    return { kind: 'usage', message: 'over: it would return before it has arrived; say a time that is no longer than that of --for' };
  if (change.kind !== 'shift') return null;
  const rollout = intent.services[change.service]?.rollout;
  if (!isActive(rollout)) return null;
  const message =
    `a rollout of "${change.service}" to "${rollout.to}" is ${rollout.phase}, and a shift that returns would return into the midst of it; ` +
    `end it first (weir canary abort ${change.service}), or shift without --for, which ends it too`;
  return { kind: 'conflict', message };
}

/** A field that is held goes back to what it was before that: nothing of limited time becomes the lasting state. */
function holdersOf(overrides: Overrides | undefined, field: Field): readonly HeldField[] {
  return Object.values(overrides ?? {}).flatMap(({ fields }) => fields.filter((held) => sameJson(pathOf(held), pathOf(field))));
}

function withoutHolders(overrides: Overrides | undefined, fields: readonly Field[]): Overrides {
  return Object.fromEntries(
    Object.entries(overrides ?? {}).filter(([, override]) =>
      fields.every((field) => !override.fields.some((held) => sameJson(pathOf(held), pathOf(field)))),
    ),
  );
}

/** A cluster that gets more than it had begins a ramp there. */
function returned(before: Intent, name: string, now: ClusterIntent): ClusterIntent {
  const had = openPercent(before.clusters[name]);
  const has = openPercent(now);
  return has > had ? { ...now, returned: { revision: before.revision + 1, from: had / has } } : now;
}

function openPercent(cluster: ClusterIntent | undefined): number {
  if (cluster === undefined) return 100;
  return cluster.admin === 'active' ? cluster.dialPercent : 0;
}

/** `2026-01-01 02:00:00 UTC` */
function spoken(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}
