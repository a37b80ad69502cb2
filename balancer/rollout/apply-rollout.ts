// A rollout begun, moved on or ended: the new intent, or why not. Pure.
import { sameJson } from '../config/canonical-json.ts';
import { MILLION } from '../config/config.ts';
import { glidedIntent } from '../intent/glide.ts';
import { conclude, find, notSeeded, type ChangeOutcome, type Facts } from '../intent/apply-change.ts';
import type { Intent, Refusal, RolloutAction, RolloutChange, ServiceIntent } from '../intent/intent.ts';
import { divide, formatPercent, isRefusal } from '../intent/percent.ts';
import type { History } from '../intent/undo.ts';
import { isActive, withoutClusterSplits, type RolloutIntent, type RolloutPhase } from '../intent/rollout.ts';
import { coversAll, largestWave, splitsOfWaves, waveText, weightsAtEnd, wrongWaves, type Waves } from './waves.ts';
import { readGate } from './gates/registry.ts';

const MINUTE_MS = 60_000;
const MAX_HOLD_MS = 7 * 86_400_000;

/** What is known when a rollout changes. */
export interface Moment {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Why it is changed: the gate that failed, or who did it. */
  readonly note: string;
  /** 0 to 1: errors of the service now. */
  readonly usualErrorRatio: number;
  /** Over how long a rollout that is taken back goes back; absent: at once. */
  readonly overMs?: number | undefined;
}

type Start = Extract<RolloutChange, { kind: 'rollout_start' }>;

export function applyRollout(intent: Intent, change: RolloutChange, facts: Facts, moment: Moment): ChangeOutcome {
  const service = find(facts.services, change.service, 'service');
  if (isRefusal(service)) return refuse(service);
  const present = intent.services[service.name];
  if (present === undefined) return refuse(notSeeded(service.name));
  const scene = { intent, facts, service: service.name, present };
  if (change.kind === 'rollout') return move(scene, change.action, moment);
  const versions = Object.fromEntries(service.versions.map((version) => [version.name, version]));
  const to = find(versions, change.to, `version of service "${service.name}"`);
  return isRefusal(to) ? refuse(to) : start(scene, change, moment);
}

/** The rollout that the last revision of an operator began, if it still has a say in the split; null: that was something else. */
export function rolloutToTakeBack({ revisions }: History, intent: Intent): { readonly service: string; readonly revision: number } | null {
  for (const { source, change, revision } of revisions) {
    if (source !== 'operator') continue;
    if (change?.kind !== 'rollout_start') return null;
    const { service } = change;
    const { rollout } = intent.services[service] ?? {};
    return rollout?.id === revision && (rollout.phase === 'promoted' || isActive(rollout)) ? { service, revision } : null;
  }
  return null;
}

/** The split is what it was before the rollout, whether that is under way or done. */
export function takeBackRollout(intent: Intent, service: string, facts: Facts, { note, overMs }: Moment): ChangeOutcome {
  const present = intent.services[service];
  if (present?.rollout === undefined) return refuse(notSeeded(service));
  const rollout: RolloutIntent = { ...present.rollout, phase: 'aborted', note };
  return settle({ intent, facts, service, present }, rollout, {
    ...{ share: null, overMs },
    summary: `${service}: rollout to ${rollout.to} is taken back`,
  });
}

interface Scene {
  readonly intent: Intent;
  readonly facts: Facts;
  readonly service: string;
  readonly present: ServiceIntent;
}

function start(scene: Scene, change: Start, moment: Moment): ChangeOutcome {
  const { intent, service, present } = scene;
  if (isActive(present.rollout)) {
    const { to, phase } = present.rollout;
    return refuse(
      conflict(
        `a rollout of "${service}" to "${to}" is ${phase} already; end it first (weir canary abort ${service}), or bring it to its end (weir canary promote ${service})`,
      ),
    );
  }
  if (present.clusterSplits !== undefined)
    return refuse(
      conflict(
        `clusters of "${service}" have splits of their own since a change was undone; set one for all first (weir shift ${service} VERSION=PERCENT)`,
      ),
    );
  const waves = change.waves === undefined || change.waves.length === 0 ? null : change.waves;
  // In waves its share of each cluster counts, and not that of the service.
  const problem =
    wrongWith(change, waves === null ? (present.split[change.to] ?? 0) : 0, scene.facts) ?? problemOfWaves(scene, change, waves);
  if (problem !== null) return refuse({ kind: 'usage', message: problem });
  const leap = tooFarForRules(scene, change, waves);
  if (leap !== null) return refuse({ kind: 'unsafe', message: leap });
  const { to, steps, holdMs, minRequests, gates, onFail, overMs } = change;
  const rollout: RolloutIntent = {
    ...{ to, steps, holdMs, minRequests, gates, onFail },
    id: intent.revision + 1,
    from: present.split,
    usualErrorRatio: moment.usualErrorRatio,
    phase: 'running',
    step: 0,
    ...(waves === null ? {} : { waves, wave: 0 }),
    ...(overMs === undefined ? {} : { overMs }),
    stepAt: moment.at,
    note: '',
  };
  return settle(scene, rollout, { share: steps[0] ?? MILLION, overMs, summary: `${service}: rollout to ${to} begins` });
}

/** What a plan is refused for; null: nothing. `present`: what the version has now. */
function wrongWith({ steps, holdMs, minRequests, gates, to }: Start, present: number, facts: Facts): string | null {
  const said = steps.map(formatPercent).join(',');
  let before = present;
  for (const share of steps) {
    if (!Number.isInteger(share) || share < 1 || share > MILLION)
      return `steps ${said}: expected percentages above 0 and up to 100, for example 1,5,25,50,100`;
    if (share <= before) {
      const than =
        before === present ? `the ${formatPercent(present)} % that "${to}" has now` : `the step before it, ${formatPercent(before)} %`;
      return `steps ${said}: ${formatPercent(share)} % is not more than ${than}; steps rise, for example 1,5,25,50,100`;
    }
    before = share;
  }
  const hold = holdMs.find((ms) => !(ms >= 0 && ms <= MAX_HOLD_MS));
  if (hold !== undefined) return `hold: expected 0 s to 7 days, got ${hold / 1000} s`;
  if (!Number.isInteger(minRequests) || minRequests < 0) return `min-requests: expected a whole number from 0, got ${minRequests}`;
  const declared = new Set(Object.keys(facts.gates ?? {}));
  const wrong = gates.map((gate) => readGate(gate, declared)).find((gate) => typeof gate === 'string');
  return wrong === undefined ? null : `gate ${wrong}`;
}

function problemOfWaves({ intent, facts, service }: Scene, { to, steps, overMs }: Start, waves: Waves | null): string | null {
  if (waves !== null && overMs !== undefined)
    return 'over: the steps of waves come at once; take smaller steps, or no waves (--waves none)';
  const config = facts.services[service];
  return waves === null || config === undefined ? null : wrongWaves(waves, { to, first: steps[0] ?? MILLION }, intent, config);
}

/** A step that no driver could make later; the first one is judged when it is made, which is now. Of a wave a step moves its part of the service. */
function tooFarForRules(
  { intent, facts: { services, safety }, service }: Scene,
  { steps, overMs }: Start,
  waves: Waves | null,
): string | null {
  const config = services[service];
  const part = waves === null || config === undefined ? 1 : largestWave(waves, intent, config) / MILLION;
  // Of what comes over a time, what a minute brings counts.
  const ofStep = part * Math.min(1, MINUTE_MS / (overMs ?? MINUTE_MS));
  const index = steps.findIndex(
    (share, at) => (at > 0 || waves !== null) && (share - (steps[at - 1] ?? 0)) * ofStep > (safety?.maxShift ?? MILLION),
  );
  if (index < 0 || safety === undefined) return null;
  const [from, to] = [steps[index - 1] ?? 0, steps[index] ?? 0].map(formatPercent);
  return `the step from ${from} % to ${to} % moves more than the ${formatPercent(safety.maxShift)} % that one step may move (rule safety.maxShift); put steps between`;
}

const NEEDS: Readonly<Record<RolloutAction, readonly RolloutPhase[]>> = {
  pause: ['running'],
  resume: ['paused', 'frozen'],
  promote: ['running', 'paused', 'frozen'],
  abort: ['running', 'paused', 'frozen'],
  step: ['running'],
  end: ['running'],
  fail: ['running', 'paused'],
};

function move(scene: Scene, action: RolloutAction, moment: Moment): ChangeOutcome {
  const { service, present } = scene;
  const { rollout } = present;
  if (!isActive(rollout) || !NEEDS[action].includes(rollout.phase)) return refuse(conflict(wrongPhase(service, action, rollout)));
  const { to, steps } = rollout;
  const { at: stepAt, note } = moment;
  const share = shareNow(scene, rollout);
  switch (action) {
    case 'pause':
      return settle(scene, { ...rollout, phase: 'paused', note }, { share, summary: `${service}: rollout to ${to} is paused` });
    case 'resume': {
      const { overMs } = rollout;
      const going = { ...rollout, phase: 'running', stepAt, note: '' } as const;
      // Where it was stopped on its way, it goes on from there.
      const whole = overMs === undefined ? share : (steps[rollout.step] ?? share);
      return settle(scene, going, { share: whole, overMs, summary: `${service}: rollout to ${to} goes on` });
    }
    case 'promote':
      return settle(
        scene,
        { ...rollout, phase: 'promoted', step: steps.length - 1, note },
        { share: 'whole', summary: `${service}: ${to} is promoted` },
      );
    case 'abort':
      return settle(scene, { ...rollout, phase: 'aborted', note }, { share: null, summary: `${service}: rollout to ${to} is taken back` });
    case 'step': {
      const next = { ...rollout, ...stepAfter(rollout), stepAt, note: '' };
      const summary = `${service}: rollout to ${to}, step ${next.step + 1} of ${steps.length}`;
      return settle(scene, next, { share: steps[next.step] ?? share, overMs: rollout.overMs, summary });
    }
    case 'end':
      return end(scene, rollout, rollout.overMs === undefined ? share : (present.split[to] ?? 0));
    case 'fail':
      return fail(scene, rollout, moment);
  }
}

/** What the version has of what the rollout is about now. */
function shareNow({ intent, facts, service, present }: Scene, { to, waves, steps, step }: RolloutIntent): number {
  const now = glidedIntent(intent, facts.wallMs).services[service] ?? present;
  return waves === undefined ? (now.split[to] ?? 0) : (steps[step] ?? 0);
}

/** After the last step of a wave comes the first one of the next. */
function stepAfter({ steps, step, waves = [], wave = 0 }: RolloutIntent): { readonly step: number; readonly wave?: number } {
  if (step + 1 < steps.length) return { step: step + 1 };
  return wave + 1 < waves.length ? { step: 0, wave: wave + 1 } : { step };
}

/** The last step is over: at 100 % of everything the rollout is done, below it people decide. */
function end(scene: Scene, rollout: RolloutIntent, share: number): ChangeOutcome {
  const { intent, facts, service } = scene;
  const config = facts.services[service];
  const everywhere = rollout.waves === undefined || (config !== undefined && coversAll(rollout.waves, intent, config));
  if (share === MILLION && everywhere)
    return settle(
      scene,
      { ...rollout, phase: 'promoted', note: '' },
      { share: 'whole', summary: `${service}: rollout to ${rollout.to} is done` },
    );
  const note = 'all steps are passed; `weir canary promote` gives it the rest';
  return settle(
    scene,
    { ...rollout, phase: 'paused', note },
    { share, summary: `${service}: rollout to ${rollout.to} waits to be promoted` },
  );
}

function fail(scene: Scene, rollout: RolloutIntent, { at, note }: Moment): ChangeOutcome {
  const { service } = scene;
  const { to, steps, step, wave = 0, onFail } = rollout;
  const share = shareNow(scene, rollout);
  if (onFail === 'freeze')
    return settle(scene, { ...rollout, phase: 'frozen', note }, { share, summary: `${service}: rollout to ${to} is frozen: ${note}` });
  const earlier = step > 0 ? { step: step - 1 } : wave > 0 ? { step: steps.length - 1, wave: wave - 1 } : null;
  // There it passed once; whether it goes on is for people to say.
  if (onFail === 'step-back' && earlier !== null) {
    const back = { ...rollout, ...earlier, phase: 'paused', stepAt: at, note } as const;
    return settle(scene, back, {
      share: steps[earlier.step] ?? 0,
      goesBack: true,
      summary: `${service}: rollout to ${to} steps back: ${note}`,
    });
  }
  return settle(
    scene,
    { ...rollout, phase: 'rolled_back', note },
    { share: null, summary: `${service}: rollout to ${to} is rolled back: ${note}` },
  );
}

function wrongPhase(service: string, action: RolloutAction, rollout: RolloutIntent | undefined): string {
  if (rollout === undefined)
    return `there never was a rollout of "${service}"; begin one with \`weir canary start ${service} --to VERSION\``;
  return `the rollout of "${service}" to "${rollout.to}" is ${rollout.phase.replace('_', ' ')}, so it cannot be told to ${action}`;
}

/** `share`: what the version gets, the others sharing the rest as they did before the rollout; `whole`: all of it, everywhere; null: the split is as before the rollout. */
interface Settling {
  readonly share: number | 'whole' | null;
  readonly summary: string;
  readonly goesBack?: boolean;
  /** Over how long the split comes to it; undefined: at once. */
  readonly overMs?: number | undefined;
}

function settle(scene: Scene, rollout: RolloutIntent, { share, summary, overMs, goesBack = share === null }: Settling): ChangeOutcome {
  const { intent, facts, service, present } = scene;
  const settled = share === null ? asBefore(present, rollout) : share === 'whole' ? asWhole(scene, rollout) : atStep(scene, rollout, share);
  if (isRefusal(settled)) return refuse(settled);
  const after = { ...intent, services: { ...intent.services, [service]: settled } };
  const moved = !sameJson([settled.split, settled.clusterSplits ?? {}], [present.split, present.clusterSplits ?? {}]);
  const inWave = typeof share === 'number' && rollout.waves !== undefined;
  const had = inWave ? share : (settled.split[rollout.to] ?? 0);
  const said = moved ? `${summary}${inWave ? waveText(rollout) : ''}: ${formatPercent(had)} %` : summary;
  const sets = [{ kind: 'split', service } as const];
  return conclude(intent, after, facts, { summary: said, strictness: share === null ? 'other' : 'weights', goesBack, sets, overMs });
}

/** The split before it, with versions that came or went at 0 meanwhile: the config has the say which there are. */
function splitBefore(present: ServiceIntent, { from }: RolloutIntent): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.keys(present.split).map((version) => [version, from[version] ?? 0]));
}

/** All waves go back together. */
function asBefore(present: ServiceIntent, rollout: RolloutIntent): ServiceIntent {
  const { to, toWeights } = rollout;
  const others = { ...withoutClusterSplits(present), split: splitBefore(present, rollout), rollout };
  if (toWeights === undefined) return others;
  const weights = Object.keys(present.clusterWeights[to] ?? {}).map((cluster) => [cluster, toWeights[cluster] ?? 0] as const);
  return { ...others, clusterWeights: { ...present.clusterWeights, [to]: Object.fromEntries(weights) } };
}

function atStep(scene: Scene, rollout: RolloutIntent, share: number): ServiceIntent | Refusal {
  const { intent, facts, service, present } = scene;
  const from = splitBefore(present, rollout);
  const config = facts.services[service];
  if (rollout.waves === undefined || config === undefined) {
    const split = splitAt(service, { from, to: rollout.to }, share);
    return isRefusal(split) ? split : { ...present, split, rollout };
  }
  const before = asBefore(present, rollout);
  const clusterSplits = splitsOfWaves(rollout, share, { ...intent, services: { ...intent.services, [service]: before } }, config);
  return isRefusal(clusterSplits) ? clusterSplits : { ...before, clusterSplits };
}

function asWhole({ intent, facts, service, present }: Scene, rollout: RolloutIntent): ServiceIntent | Refusal {
  const { to } = rollout;
  const split = splitAt(service, { from: splitBefore(present, rollout), to }, MILLION);
  if (isRefusal(split)) return split;
  const others = { ...withoutClusterSplits(present), split, rollout };
  const config = facts.services[service];
  const weights = rollout.waves === undefined || config === undefined ? null : weightsAtEnd(present, to, intent, config);
  if (weights === null) return others;
  const toWeights = present.clusterWeights[to] ?? {};
  return { ...others, rollout: { ...rollout, toWeights }, clusterWeights: { ...present.clusterWeights, [to]: weights } };
}

function splitAt(
  service: string,
  { from, to }: Pick<RolloutIntent, 'from' | 'to'>,
  share: number,
): Readonly<Record<string, number>> | Refusal {
  return divide({ subject: `service "${service}"`, noun: 'version', present: from, named: { [to]: share } });
}

function conflict(message: string): Refusal {
  return { kind: 'conflict', message };
}

function refuse(refusal: Refusal): ChangeOutcome {
  return { ok: false, refusal };
}
