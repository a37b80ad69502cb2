// What an operator asks for, made out of the present intent: the new intent, or why not.
import { sameJson } from '../config/canonical-json.ts';
import { nearest } from '../config/nearest.ts';
import { clusterTotals } from './cluster-totals.ts';
import { callersPart, changeCallers, type CallerChange } from './callers.ts';
import { diffIntent } from './diff.ts';
import type { AdminState, Change, Intent, PurgeChange, Refusal, TimedChange, TouchedField } from './intent.ts';
import { dialNow, glidedIntent, overText, withGlide, withoutEndedGlides, wrongOver } from './glide.ts';
import { fieldsSetBy, withoutEndedOverrides, type Field } from './override.ts';
import { purgeOf, purgeText, withPurge } from './purge.ts';
import { divide, formatPercent, isRefusal, parsePercent } from './percent.ts';
import { withQuotaReset } from './quota-reset.ts';
import { withoutRollout } from './rollout.ts';
import { brokenRules, refusalText } from './rules.ts';
import { breach, type Facts, type Strictness } from './safety.ts';
import { changeTokens, tokensPart, type TokenChange } from './tokens.ts';
import { deadlineOf, tunnelText, withoutEndedDrains, withTunnels } from './tunnels.ts';

export type { Facts } from './safety.ts';

export interface Applied {
  readonly ok: true;
  /** One revision higher than before; the same intent when nothing was touched. */
  readonly intent: Intent;
  readonly touched: readonly TouchedField[];
  /** One line: what changed, from what to what. */
  readonly summary: string;
  /** Rules that it broke, with glass broken for it; absent: none. */
  readonly overruled?: readonly string[];
}

export type ChangeOutcome = Applied | { readonly ok: false; readonly refusal: Refusal };

/** A change that needs nothing but the present intent; `undo` needs history and is in undo.ts, rollouts are in rollout/. */
export type DirectChange = Exclude<Change, { readonly kind: 'undo' | 'redo' | 'rollout' | 'rollout_start' | 'expire' }>;

/** Applies a change by the percent rules, then holds it against the safety rules. Nothing is written. */
export function applyChange(intent: Intent, change: DirectChange, facts: Facts): ChangeOutcome {
  switch (change.kind) {
    case 'shift':
      return shift(intent, change, facts);
    case 'shift_clusters':
      return shiftClusters(intent, change, facts);
    case 'admin':
      return setAdmin(intent, change, facts);
    case 'dial':
      return setDial(intent, change, facts);
    case 'release':
      return release(intent, change, facts);
    case 'void_pins':
      return voidPins(intent, change, facts);
    case 'purge':
      return purge(intent, change, facts);
    case 'reset_quota':
      return resetQuota(intent, change, facts);
    case 'consumer_add':
    case 'consumer_set':
    case 'consumer_remove':
    case 'key_issue':
    case 'key_revoke':
      return callers(intent, change, facts);
    case 'token_make':
    case 'token_revoke':
      return tokens(intent, change, facts);
  }
}

/** How a change ends. */
export interface Ending {
  readonly summary: string;
  readonly strictness: Strictness;
  /** To what was there before. */
  readonly goesBack?: boolean;
  /** What it sets is there at once, or over a time from where it is now; what else is on its way goes on. */
  readonly sets?: readonly Field[];
  readonly overMs?: number | undefined;
  /** Just as it was, with what has arrived since. */
  readonly exact?: boolean;
}

/** Ends every change: the diff, the revision, the safety rules. */
export function conclude(before: Intent, asked: Intent, facts: Facts, ending: Ending): ChangeOutcome {
  const { sets = [], overMs } = ending;
  const { wallMs } = facts;
  const wrong = wrongOver(overMs);
  if (wrong !== null) return { ok: false, refusal: wrong };
  const set = withGlide(before, withoutEndedOverrides(withoutEndedDrains(asked)), sets, { overMs, wallMs });
  // What has arrived goes with the next change, and makes none by itself.
  const arrivedMs = ending.exact === true ? undefined : wallMs;
  const after = withoutEndedGlides(set, arrivedMs);
  if (diffIntent(withoutEndedGlides(before, arrivedMs), after).length === 0)
    return { ok: true, intent: before, touched: [], summary: `${ending.summary} (as it is already)` };
  const touched = diffIntent(before, after);
  const refusal = refusalOf(before, after, facts, ending.strictness);
  if (refusal !== null) return { ok: false, refusal };
  const broken = brokenRules({ before, after, facts, goesBack: ending.goesBack === true });
  const [first] = broken;
  if (first !== undefined && facts.breakGlass !== true) return { ok: false, refusal: { kind: 'unsafe', message: refusalText(first) } };
  const overruled = first === undefined ? {} : { overruled: broken.map(({ rule }) => rule) };
  const begun = after.glides?.[String(before.revision + 1)];
  const summary = overMs === undefined || begun === undefined ? ending.summary : `${ending.summary}, over ${overText(overMs)}`;
  return { ok: true, intent: { ...after, revision: before.revision + 1 }, touched, summary, ...overruled };
}

/** Where it goes, and where it begins: between the two there is nothing that neither has. */
function refusalOf(before: Intent, after: Intent, facts: Facts, strictness: Strictness): Refusal | null {
  const [now, begin] = [before, after].map((intent) => glidedIntent(intent, facts.wallMs));
  const refusal = breach(now ?? before, after, facts, strictness);
  // It begins as things are, however they are.
  return refusal ?? (begin === undefined || begin === after ? null : breach(now ?? before, begin, facts, 'other'));
}

function shift(intent: Intent, change: Extract<Change, { kind: 'shift' }>, facts: Facts): ChangeOutcome {
  const service = find(facts.services, change.service, 'service');
  if (isRefusal(service)) return refuse(service);
  const present = intent.services[service.name];
  if (present === undefined) return refuse(notSeeded(service.name));
  const now = glidedIntent(intent, facts.wallMs).services[service.name] ?? present;
  const versions = service.versions.map(({ name }) => name);
  const named = parseNamed(change.percents, versions, { noun: 'version', where: `service "${service.name}" has` });
  if (isRefusal(named)) return refuse(named);
  const have = Object.fromEntries(versions.map((name) => [name, now.split[name] ?? 0]));
  const split = divide({ subject: `service "${service.name}"`, noun: 'version', present: have, named });
  if (isRefusal(split)) return refuse(split);
  const after = { ...intent, services: { ...intent.services, [service.name]: { ...withoutRollout(present, 'a shift'), split } } };
  const summary = `${service.name}: ${describeShares(have, split)}`;
  return conclude(intent, after, facts, { summary, strictness: 'weights', ...settingOf(change, intent) });
}

function shiftClusters(intent: Intent, change: Extract<Change, { kind: 'shift_clusters' }>, facts: Facts): ChangeOutcome {
  const service = find(facts.services, change.service, 'service');
  if (isRefusal(service)) return refuse(service);
  const present = intent.services[service.name];
  if (present === undefined) return refuse(notSeeded(service.name));
  for (const cluster of Object.keys(change.percents)) {
    const known = find(facts.clusters, cluster, 'cluster');
    if (isRefusal(known)) return refuse(known);
  }
  const clusters = [...new Set(service.versions.flatMap(({ placements }) => placements.map(({ cluster }) => cluster)))];
  const named = parseNamed(change.percents, clusters, { noun: 'cluster', where: `service "${service.name}" runs in` });
  if (isRefusal(named)) return refuse(named);
  const now = glidedIntent(intent, facts.wallMs).services[service.name] ?? present;
  const weights: Record<string, Readonly<Record<string, number>>> = { ...present.clusterWeights };
  for (const { name } of service.versions) {
    const place = { service: service.name, version: name, share: present.split[name] ?? 0, present: now.clusterWeights[name] ?? {} };
    const divided = divideAmongClusters(place, named);
    if (isRefusal(divided)) return refuse(divided);
    weights[name] = divided;
  }
  const after = { ...intent, services: { ...intent.services, [service.name]: { ...present, clusterWeights: weights } } };
  const totals = (of: Intent) => clusterTotals(of, service);
  return conclude(intent, after, facts, {
    summary: `${service.name}: ${describeShares(totals(glidedIntent(intent, facts.wallMs)), totals(after))}`,
    ...{ strictness: 'weights', ...settingOf(change, intent) },
  });
}

function settingOf(change: TimedChange, intent: Intent): Pick<Ending, 'sets' | 'overMs'> {
  return { sets: fieldsSetBy(change, intent), overMs: change.overMs };
}

interface VersionPlaces {
  readonly service: string;
  readonly version: string;
  /** Millionths of the service. */
  readonly share: number;
  /** Its clusters with their weights. */
  readonly present: Readonly<Record<string, number>>;
}

/**
 * The rule among the clusters that this version has. A version that runs in only some of the named clusters and in no other takes
 * the named percentages as proportions, since they add up to 100 for the service and not for it; if they are all 0, a version
 * without a share keeps its weights, and one with a share would be nowhere, which is refused.
 */
function divideAmongClusters(places: VersionPlaces, named: Readonly<Record<string, number>>): Readonly<Record<string, number>> | Refusal {
  const { service, version, share, present } = places;
  const own = Object.fromEntries(Object.entries(named).filter(([cluster]) => Object.hasOwn(present, cluster)));
  const ownCount = Object.keys(own).length;
  if (ownCount === 0) return present;
  const partly = ownCount < Object.keys(named).length && ownCount === Object.keys(present).length;
  if (partly && Object.values(own).some((part) => part > 0)) return own;
  if (partly && share === 0) return present;
  return divide({ subject: `version "${version}" of service "${service}"`, noun: 'cluster', present, named: own });
}

const ADMIN_WORDS: Readonly<Record<AdminState, string>> = { active: 'active', drain: 'draining', maintenance: 'in maintenance' };

function setAdmin(intent: Intent, change: Extract<Change, { kind: 'admin' }>, facts: Facts): ChangeOutcome {
  const cluster = find(facts.clusters, change.cluster, 'cluster');
  if (isRefusal(cluster)) return refuse(cluster);
  const present = intent.clusters[cluster.name] ?? { admin: 'active', dialPercent: 100 };
  // Tunnels have their time from when it is drained.
  const drainedMs = (facts.wallMs ?? 0) + (change.overMs ?? 0);
  const deadline = change.tunnels === undefined ? present.tunnels : deadlineOf(change.tunnels, drainedMs);
  const set = withTunnels({ ...present, admin: change.state }, deadline);
  const after = { ...intent, clusters: { ...intent.clusters, [cluster.name]: set } };
  const summary = `${cluster.name}: ${present.admin === change.state ? '' : `${ADMIN_WORDS[present.admin]} → `}${ADMIN_WORDS[change.state]}`;
  const tunnels = change.state === 'active' || sameJson(present.tunnels, deadline) ? '' : tunnelText(deadline);
  return conclude(intent, after, facts, { summary: `${summary}${tunnels}`, strictness: 'other', ...settingOf(change, intent) });
}

function setDial(intent: Intent, change: Extract<Change, { kind: 'dial' }>, facts: Facts): ChangeOutcome {
  const cluster = find(facts.clusters, change.cluster, 'cluster');
  if (isRefusal(cluster)) return refuse(cluster);
  const checked = parsePercent(change.percent, `dial of cluster "${cluster.name}"`);
  if (isRefusal(checked)) return refuse(checked);
  const present = intent.clusters[cluster.name] ?? { admin: 'active', dialPercent: 100 };
  const after = { ...intent, clusters: { ...intent.clusters, [cluster.name]: { ...present, dialPercent: change.percent } } };
  const dialPercent = dialNow(intent, cluster.name, facts.wallMs);
  const summary = `${cluster.name}: dial ${dialPercent === change.percent ? '' : `${dialPercent} % → `}${change.percent} %`;
  return conclude(intent, after, facts, { summary, strictness: 'other', ...settingOf(change, intent) });
}

function release(intent: Intent, change: Extract<Change, { kind: 'release' }>, facts: Facts): ChangeOutcome {
  const cluster = find(facts.clusters, change.cluster, 'cluster');
  if (isRefusal(cluster)) return refuse(cluster);
  const present = intent.clusters[cluster.name] ?? { admin: 'active', dialPercent: 100 };
  const released = { ...present, releases: (present.releases ?? 0) + 1 };
  const after = { ...intent, clusters: { ...intent.clusters, [cluster.name]: released } };
  return conclude(intent, after, facts, { summary: `${cluster.name}: released`, strictness: 'other' });
}

function voidPins(intent: Intent, change: Extract<Change, { kind: 'void_pins' }>, facts: Facts): ChangeOutcome {
  const service = find(facts.services, change.service, 'service');
  if (isRefusal(service)) return refuse(service);
  if (service.sticky?.mode !== 'cookie')
    return refuse({
      kind: 'usage',
      message: `service "${service.name}" gives no pins, so there are none to void; services with sticky.mode cookie do`,
    });
  const present = intent.services[service.name];
  if (present === undefined) return refuse(notSeeded(service.name));
  const voided = { ...present, pinEpoch: intent.revision + 1 };
  const after = { ...intent, services: { ...intent.services, [service.name]: voided } };
  return conclude(intent, after, facts, { summary: `${service.name}: pins given before are void`, strictness: 'other' });
}

function purge(intent: Intent, change: PurgeChange, facts: Facts): ChangeOutcome {
  const asked = purgeOf(change, facts.routes ?? [], facts.wallMs ?? 0);
  if (isRefusal(asked)) return refuse(asked);
  return conclude(intent, withPurge(intent, asked), facts, { summary: purgeText(asked), strictness: 'other' });
}

function callers({ callers: before, ...intent }: Intent, change: CallerChange, facts: Facts): ChangeOutcome {
  const present = { ...intent, ...callersPart(before) };
  const changed = changeCallers(present, change, facts);
  if (isRefusal(changed)) return refuse(changed);
  return conclude(present, { ...intent, ...callersPart(changed.callers) }, facts, { summary: changed.summary, strictness: 'other' });
}

function tokens({ tokens: before, ...intent }: Intent, change: TokenChange, facts: Facts): ChangeOutcome {
  const changed = changeTokens(before ?? {}, change, facts);
  if (isRefusal(changed)) return refuse(changed);
  const after = { ...intent, ...tokensPart(changed.tokens) };
  return conclude({ ...intent, ...tokensPart(before) }, after, facts, { summary: changed.summary, strictness: 'other' });
}

function resetQuota(intent: Intent, change: Extract<Change, { kind: 'reset_quota' }>, facts: Facts): ChangeOutcome {
  const consumer = find(facts.consumers ?? {}, change.consumer, 'consumer');
  if (isRefusal(consumer)) return refuse(consumer);
  const quotas = Object.values(facts.limits ?? {}).filter(
    ({ calendar, by }) => calendar !== null && by.some(({ kind }) => kind === 'consumer'),
  );
  const named = quotas.filter(({ name }) => change.limit === null || name === change.limit).map(({ name }) => name);
  if (named.length === 0)
    return refuse({
      kind: 'not_found',
      message: `${change.limit === null ? 'there is no quota of consumers' : `"${change.limit}" is no quota of consumers`}; a limit with per: month or day that counts by consumer is one${quotas.length === 0 ? '' : `, as ${quotas.map(({ name }) => name).join(', ')}`}`,
    });
  const after = withQuotaReset(intent, consumer.name, named);
  return conclude(intent, after, facts, { summary: `${consumer.name}: ${named.join(', ')} begin anew`, strictness: 'other' });
}

/** Checks every named member and its percentage; an empty list is refused, since it asks for nothing. */
function parseNamed(
  percents: Readonly<Record<string, number>>,
  members: readonly string[],
  words: { readonly noun: string; readonly where: string },
): Readonly<Record<string, number>> | Refusal {
  const named: Record<string, number> = {};
  for (const [name, percent] of Object.entries(percents)) {
    if (!members.includes(name)) return unknown(name, members, words);
    const part = parsePercent(percent, `${words.noun} "${name}"`);
    if (isRefusal(part)) return part;
    named[name] = part;
  }
  if (Object.keys(named).length > 0) return named;
  return {
    kind: 'usage',
    message: `no ${words.noun} is named; say which gets what, for example ${members[0] ?? 'NAME'}=10; ${words.where} ${members.join(', ')}`,
  };
}

export function find<T>(all: Readonly<Record<string, T>>, name: string, noun: string): T | Refusal {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  return found ?? unknown(name, Object.keys(all), { noun, where: 'the config has' });
}

function unknown(name: string, members: readonly string[], { noun, where }: { readonly noun: string; readonly where: string }): Refusal {
  const near = nearest(name, members);
  const guess = near === null ? '' : `; did you mean "${near}"?`;
  return {
    kind: 'not_found',
    message: `there is no ${noun} "${name}"${guess === '' ? ';' : guess} ${where} ${members.length === 0 ? 'none' : members.join(', ')}`,
  };
}

export function notSeeded(service: string): Refusal {
  return {
    kind: 'conflict',
    message: `service "${service}" is in the config but not yet in the intent: the config is being taken over; try again`,
  };
}

/** `green 10 % → 50 %, blue 90 % → 50 %`; members that keep their share are left out unless all do. */
export function describeShares(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string {
  const moved = Object.keys(after).filter((name) => before[name] !== after[name]);
  if (moved.length === 0)
    return Object.entries(after)
      .map(([name, share]) => `${name} ${formatPercent(share)} %`)
      .join(', ');
  return moved.map((name) => `${name} ${formatPercent(before[name] ?? 0)} % → ${formatPercent(after[name] ?? 0)} %`).join(', ');
}

function refuse(refusal: Refusal): ChangeOutcome {
  return { ok: false, refusal };
}
