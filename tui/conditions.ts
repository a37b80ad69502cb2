// What `weir wait --for` understands: a condition as text in, a judgement of a status out. Pure.
import type { RolloutView, StatusView, WorkerView } from '../balancer/controller/api/views.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { rate, running, share } from './format.ts';

export type Verdict =
  | { readonly state: 'met' }
  /** `now` says what holds instead. */
  | { readonly state: 'pending'; readonly now: string }
  /** It has ended otherwise than was waited for, so it cannot come any more. */
  | { readonly state: 'failed'; readonly message: string }
  /** It names something that does not exist, so waiting makes no sense. */
  | { readonly state: 'impossible'; readonly message: string };

/** What a condition looks at. */
export interface Sight {
  readonly status: StatusView;
  readonly workers: readonly WorkerView[];
  /** The newest of each service, those at their end too. */
  readonly rollouts: readonly RolloutView[];
}

export type Condition = (sight: Sight) => Verdict;

const HEALTH = ['up', 'degraded', 'down', 'unknown'];
const AGENT = ['fresh', 'stale', 'absent'];
/** Percentage points by which an effective share may miss `=`: half of the finest step an operator can ask for. */
const SHARE_TOLERANCE = 0.00005;

export const CONDITION_FORMS =
  'stable, revision:N, health:CLUSTER=STATE, agent:CLUSTER=STATE, share:SERVICE/VERSION>=PERCENT, rollout:SERVICE, idle:CLUSTER, empty:CLUSTER';

/** Parses a condition; throws with the forms there are. */
export function parseCondition(text: string): Condition {
  if (text === 'stable') return stable;
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0));
  const condition = Object.hasOwn(PARSERS, kind) ? PARSERS[kind]?.(text.slice(colon + 1)) : null;
  if (condition === undefined || condition === null) {
    throw new CommandFailure(EXIT.usage, `--for: cannot read ${JSON.stringify(text)}; expected one of ${CONDITION_FORMS}`);
  }
  return condition;
}

const PARSERS: Readonly<Record<string, (rest: string) => Condition | null>> = {
  revision: (rest) => (/^\d{1,15}$/.test(rest) ? revision(Number(rest)) : null),
  health: (rest) => stateOf(rest, HEALTH, (cluster) => cluster.health),
  agent: (rest) => stateOf(rest, AGENT, (cluster) => cluster.agent.state),
  share: shareOf,
  rollout: (rest) => (rest === '' ? null : rollout(rest)),
  idle: (rest) => (rest === '' ? null : idle(rest)),
  empty: (rest) => (rest === '' ? null : empty(rest)),
};

const stable: Condition = ({ status }) => {
  const unknown = status.clusters
    .filter(({ admin, health }) => admin !== 'maintenance' && health === 'unknown')
    .map(({ name }) => `health of ${name} unknown`);
  const workers = status.workersReady < status.workers ? [`${status.workersReady} of ${status.workers} workers ready`] : [];
  const open = [...status.degraded, ...workers, ...unknown];
  return open.length === 0 ? { state: 'met' } : pending(open.join('; '));
};

/** Served, not only stored: every worker has the plan that the status tells, those too that a new controller has not heard of yet. */
function revision(wanted: number): Condition {
  return ({ status, workers }) => {
    if (status.revision < wanted) return pending(`revision ${status.revision}`);
    const behind = workers.filter(({ state, plan }) => state !== 'draining' && plan < status.plan).map(({ name }) => name);
    const unheard = status.workers - workers.length;
    if (unheard > 0) behind.push(`${unheard} of ${status.workers} workers that are not heard of yet`);
    return behind.length === 0 ? { state: 'met' } : pending(`revision ${status.revision}, not yet served by ${behind.join(', ')}`);
  };
}

type Cluster = StatusView['clusters'][number];

function stateOf(rest: string, states: readonly string[], of: (cluster: Cluster) => string): Condition | null {
  const [, name, wanted] = /^([^=]+)=(.+)$/.exec(rest) ?? [];
  if (name === undefined || wanted === undefined || !states.includes(wanted)) return null;
  return onCluster(name, (cluster) => (of(cluster) === wanted ? { state: 'met' } : pending(`${name} is ${of(cluster)}`)));
}

function idle(name: string): Condition {
  return onCluster(name, ({ traffic }) =>
    traffic.rps === 0 ? { state: 'met' } : pending(`${name} still gets ${rate(traffic.rps)} requests/s`),
  );
}

/** Nothing runs there, and nothing can begin to. */
function empty(name: string): Condition {
  return onCluster(name, (cluster) => {
    if (cluster.empty === true) return { state: 'met' };
    if (cluster.empty === null) return pending(`${name} is active`);
    return pending(`${name} has ${running(cluster)}`);
  });
}

/** Promoted is what is waited for; rolled back, frozen and aborted end the waiting too. */
function rollout(service: string): Condition {
  return ({ status, rollouts }) => {
    if (!status.services.some(({ name }) => name === service)) return missing('service', service, status.services);
    const found = rollouts.find((one) => one.service === service);
    if (found === undefined)
      return { state: 'impossible', message: `there never was a rollout of ${service}; \`weir canary start\` begins one` };
    const { phase, to, note, step, steps } = found;
    if (phase === 'promoted') return { state: 'met' };
    if (phase === 'running' || phase === 'paused')
      return pending(`the rollout of ${service} to ${to} is ${phase}, step ${step + 1} of ${steps.length}`);
    return {
      state: 'failed',
      message: `the rollout of ${service} to ${to} is ${phase.replace('_', ' ')}${note === '' ? '' : `: ${note}`}`,
    };
  };
}

function onCluster(name: string, judge: (cluster: Cluster) => Verdict): Condition {
  return ({ status }) => {
    const cluster = status.clusters.find((one) => one.name === name);
    return cluster === undefined ? missing('cluster', name, status.clusters) : judge(cluster);
  };
}

function shareOf(rest: string): Condition | null {
  const [, service, version, comparison, number] = /^([^/]+)\/([^<>=]+)(>=|<=|=)(\d+(?:\.\d+)?)%?$/.exec(rest) ?? [];
  if (service === undefined || version === undefined || comparison === undefined) return null;
  const wanted = Number(number);
  return ({ status }) => {
    const found = status.services.find((one) => one.name === service);
    if (found === undefined) return missing('service', service, status.services);
    if (!Object.hasOwn(found.split, version))
      return missing(
        'version',
        version,
        Object.keys(found.split).map((name) => ({ name })),
      );
    const targets = found.targets.filter((target) => target.version === version);
    const effective = targets.reduce((sum, target) => sum + target.effectiveShare, 0);
    return compares(effective * 100, comparison, wanted) ? { state: 'met' } : pending(`${service}/${version} has ${share(effective)}`);
  };
}

function compares(value: number, comparison: string, wanted: number): boolean {
  if (comparison === '>=') return value >= wanted - SHARE_TOLERANCE;
  if (comparison === '<=') return value <= wanted + SHARE_TOLERANCE;
  return Math.abs(value - wanted) <= SHARE_TOLERANCE;
}

function pending(now: string): Verdict {
  return { state: 'pending', now };
}

function missing(what: string, name: string, known: readonly { readonly name: string }[]): Verdict {
  return { state: 'impossible', message: `no ${what} named ${JSON.stringify(name)}; there are ${known.map((one) => one.name).join(', ')}` };
}
