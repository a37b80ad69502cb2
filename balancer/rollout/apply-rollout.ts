// A rollout begun, moved on or ended: the new intent, or why not. Pure.
import { MILLION } from '../config/config.ts';
import { conclude, find, notSeeded, type ChangeOutcome, type Facts } from '../intent/apply-change.ts';
import type { Intent, Refusal, RolloutAction, RolloutChange, ServiceIntent } from '../intent/intent.ts';
import { divide, formatPercent, isRefusal } from '../intent/percent.ts';
import type { History } from '../intent/undo.ts';
import { isActive, type RolloutIntent, type RolloutPhase } from '../intent/rollout.ts';
import { readGate } from './gates/registry.ts';

const MAX_HOLD_MS = 7 * 86_400_000;

/** What is known when a rollout changes. */
export interface Moment {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Why it is changed: the gate that failed, or who did it. */
  readonly note: string;
  /** 0 to 1: errors of the service now. */
  readonly usualErrorRatio: number;
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
export function takeBackRollout(intent: Intent, service: string, facts: Facts, { note }: Moment): ChangeOutcome {
  const present = intent.services[service];
  if (present?.rollout === undefined) return refuse(notSeeded(service));
  const rollout: RolloutIntent = { ...present.rollout, phase: 'aborted', note };
  return settle({ intent, facts, service, present }, rollout, {
    share: null,
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
  const problem = wrongWith(change, present.split[change.to] ?? 0, scene.facts);
  if (problem !== null) return refuse({ kind: 'usage', message: problem });
  const leap = tooFarForRules(change, scene.facts);
  if (leap !== null) return refuse({ kind: 'unsafe', message: leap });
  const { to, steps, holdMs, minRequests, gates, onFail } = change;
  const rollout: RolloutIntent = {
    ...{ to, steps, holdMs, minRequests, gates, onFail },
    id: intent.revision + 1,
    from: present.split,
    usualErrorRatio: moment.usualErrorRatio,
    phase: 'running',
    step: 0,
    stepAt: moment.at,
    note: '',
  };
  return settle(scene, rollout, { share: steps[0] ?? MILLION, summary: `${service}: rollout to ${to} begins` });
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

/** A step that no driver could make later; the first one is judged when it is made, which is now. */
function tooFarForRules({ steps }: Start, { safety }: Facts): string | null {
  const index = steps.findIndex((share, at) => at > 0 && share - (steps[at - 1] ?? share) > (safety?.maxShift ?? MILLION));
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
  const { to, steps, step } = rollout;
  const { at: stepAt, note } = moment;
  const share = present.split[to] ?? 0;
  switch (action) {
    case 'pause':
      return settle(scene, { ...rollout, phase: 'paused', note }, { share, summary: `${service}: rollout to ${to} is paused` });
    case 'resume':
      return settle(scene, { ...rollout, phase: 'running', stepAt, note: '' }, { share, summary: `${service}: rollout to ${to} goes on` });
    case 'promote':
      return settle(
        scene,
        { ...rollout, phase: 'promoted', step: steps.length - 1, note },
        { share: MILLION, summary: `${service}: ${to} is promoted` },
      );
    case 'abort':
      return settle(scene, { ...rollout, phase: 'aborted', note }, { share: null, summary: `${service}: rollout to ${to} is taken back` });
    case 'step': {
      const next = steps[step + 1] ?? share;
      const summary = `${service}: rollout to ${to}, step ${step + 2} of ${steps.length}`;
      return settle(scene, { ...rollout, step: Math.min(step + 1, steps.length - 1), stepAt, note: '' }, { share: next, summary });
    }
    case 'end':
      return end(scene, rollout, share);
    case 'fail':
      return fail(scene, rollout, moment);
  }
}

/** The last step is over: at 100 % the rollout is done, below it people decide. */
function end(scene: Scene, rollout: RolloutIntent, share: number): ChangeOutcome {
  const { service } = scene;
  if (share === MILLION)
    return settle(scene, { ...rollout, phase: 'promoted', note: '' }, { share, summary: `${service}: rollout to ${rollout.to} is done` });
  const note = 'all steps are passed; `weir canary promote` gives it the rest';
  return settle(
    scene,
    { ...rollout, phase: 'paused', note },
    { share, summary: `${service}: rollout to ${rollout.to} waits to be promoted` },
  );
}

function fail(scene: Scene, rollout: RolloutIntent, { at, note }: Moment): ChangeOutcome {
  const { service, present } = scene;
  const { to, steps, step, onFail } = rollout;
  const share = present.split[to] ?? 0;
  if (onFail === 'freeze')
    return settle(scene, { ...rollout, phase: 'frozen', note }, { share, summary: `${service}: rollout to ${to} is frozen: ${note}` });
  const before = steps[step - 1];
  // There it passed once; whether it goes on is for people to say.
  if (onFail === 'step-back' && before !== undefined) {
    const back = { ...rollout, phase: 'paused', step: step - 1, stepAt: at, note } as const;
    return settle(scene, back, { share: before, goesBack: true, summary: `${service}: rollout to ${to} steps back: ${note}` });
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

/** `share`: what the version gets, the others sharing the rest as they did before the rollout; null: the split is as before the rollout. */
function settle(
  { intent, facts, service, present }: Scene,
  rollout: RolloutIntent,
  { share, summary, goesBack = share === null }: { readonly share: number | null; readonly summary: string; readonly goesBack?: boolean },
): ChangeOutcome {
  // Versions that came or went at 0 meanwhile: the config has the say which there are.
  const from = Object.fromEntries(Object.keys(present.split).map((version) => [version, rollout.from[version] ?? 0]));
  const divided = share === null ? from : splitAt(service, { from, to: rollout.to }, share);
  if (isRefusal(divided)) return refuse(divided);
  const said = divided[rollout.to] === present.split[rollout.to] ? summary : `${summary}: ${formatPercent(divided[rollout.to] ?? 0)} %`;
  const after = { ...intent, services: { ...intent.services, [service]: { ...present, split: divided, rollout } } };
  return conclude(intent, after, facts, { summary: said, strictness: share === null ? 'other' : 'weights', goesBack });
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
