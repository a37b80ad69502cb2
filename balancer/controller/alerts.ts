// What an operator should look at, worst first: each with the code that names its section of the runbook.
import type { AlertView, ClusterView, RolloutView, ServiceView, TargetView } from './api/views.ts';
import { daysText, urgencyOf, type UsedCertificate } from './certificate-watch.ts';
import type { Edge } from './edge.ts';
import { limitWarnings } from './machine-limits.ts';

export interface AlertFacts {
  readonly clusters: readonly ClusterView[];
  readonly services: readonly ServiceView[];
  /** The newest of each service, those at their end too. */
  readonly rollouts: readonly RolloutView[];
  readonly workersReady: number;
  readonly certificates: readonly UsedCertificate[];
}

/** Above this part of a version's answers, errors are told, if there are enough of them to tell. */
const HIGH_ERRORS = 0.05;
const MIN_ERRORS = 3;
/** A version is worse than the others of its service if it fails so many times as often. */
const TIMES_WORSE = 3;

export function alertsOf(edge: Edge, facts: AlertFacts): readonly AlertView[] {
  const alerts = [
    ...hostAlerts(edge, facts),
    ...clusterAlerts(facts),
    ...serviceAlerts(edge, facts),
    ...rolloutAlerts(facts),
    ...certificateAlerts(facts),
  ];
  const warnings = limitWarnings(edge.config, edge.options.machine).map((text) => warning('machine_limit', text));
  return [
    ...alerts.filter(({ severity }) => severity === 'problem'),
    ...alerts.filter(({ severity }) => severity === 'warning'),
    ...warnings,
  ];
}

/** The texts of one severity, in order. */
export function textsOf(alerts: readonly AlertView[], severity: AlertView['severity']): readonly string[] {
  return alerts.filter((alert) => alert.severity === severity).map(({ text }) => text);
}

function problem(code: string, text: string): AlertView {
  return { code, severity: 'problem', text };
}

function warning(code: string, text: string): AlertView {
  return { code, severity: 'warning', text };
}

function hostAlerts(edge: Edge, { workersReady }: AlertFacts): readonly AlertView[] {
  const { trouble } = edge.options.store;
  return [
    ...(edge.problem === null ? [] : [problem('config_not_taken', edge.problem)]),
    ...(trouble === null ? [] : [problem('store_takes_nothing', `the store of this host takes nothing: ${trouble}`)]),
    ...(edge.fleet.problem === null ? [] : [problem('fleet_unreachable', `fleet: ${edge.fleet.problem}`)]),
    ...localAlert(edge),
    ...(workersReady < edge.config.workers
      ? [problem('workers_missing', `${workersReady} of ${edge.config.workers} workers are ready`)]
      : []),
  ];
}

function localAlert({ local }: Edge): readonly AlertView[] {
  const fields = local.fields();
  if (fields.length === 0) return [];
  const text = `LOCAL: this host holds ${fields.join(', ')} against its fleet, by local changes: weir local merge, or weir local discard`;
  return [problem('local_changes', text)];
}

function clusterAlerts({ clusters }: AlertFacts): readonly AlertView[] {
  return [
    ...clusters
      .filter(({ health, admin }) => (health === 'down' || health === 'degraded') && admin === 'active')
      .map(({ name, health, endpoints }) => problem(`cluster_${health}`, `cluster ${name} is ${health}${reasonOf(endpoints)}`)),
    ...clusters
      .filter(({ failback }) => failback === 'waiting')
      .map(({ name }) => problem('cluster_waits', `cluster ${name} is up again and waits to be released: weir release ${name}`)),
    ...clusters.filter(({ agent }) => agent.state === 'stale').map(({ name }) => problem('agent_stale', `the agent of ${name} is stale`)),
    ...clusters
      .filter(({ agent }) => agent.state === 'fresh' && !agent.connected)
      .map(({ name }) => warning('agent_left', `the agent of ${name} has left; what it reported last counts for now`)),
  ];
}

function reasonOf(endpoints: ClusterView['endpoints']): string {
  const reason = endpoints.find((endpoint) => endpoint.reason !== '')?.reason ?? '';
  return reason === '' ? '' : `: ${reason}`;
}

function serviceAlerts(edge: Edge, { services }: AlertFacts): readonly AlertView[] {
  return [
    ...services
      .filter(({ lostShare }) => lostShare > 0)
      .map(({ name, lostShare, shedShare }) => {
        const why = shedShare === 0 ? '' : ', for want of capacity';
        return problem('requests_lost', `service ${name} answers ${Math.round(lostShare * 1000) / 10} % of its requests with 503${why}`);
      }),
    ...services.flatMap(({ name, targets }) => targets.flatMap((target) => strayAlert(name, target))),
    ...services.flatMap((service) => failingVersions(edge, service)),
  ];
}

/** A target that gets another share than the plan gives it. */
function strayAlert(
  service: string,
  { version, cluster, effectiveShare, newShare, observedLow, observedHigh, respected }: TargetView,
): readonly AlertView[] {
  if (respected !== false) return [];
  const percent = (share: number): string => `${Math.round(share * 10_000) / 100} %`;
  const range = `${percent(observedLow ?? 0)} to ${percent(observedHigh ?? 1)}`;
  const whose = newShare === null ? 'requests' : 'new clients';
  const text = `service ${service}: ${version} in ${cluster} gets ${range} of the ${whose}, the plan gives it ${percent(effectiveShare)}`;
  return [problem('share_drift', text)];
}

interface VersionErrors {
  readonly version: string;
  readonly requests: number;
  readonly errors: number;
}

/** A version that fails while the others of its service do not, or not as often: a warning, as its rollout, if it has one, decides about it. */
function failingVersions({ window }: Edge, { name, targets }: ServiceView): readonly AlertView[] {
  const versions = new Map<string, VersionErrors>();
  for (const { version, cluster } of targets) {
    const { requests, errors } = window.lately({ of: 'target', service: name, version, cluster });
    const before = versions.get(version) ?? { version, requests: 0, errors: 0 };
    versions.set(version, { version, requests: before.requests + requests, errors: before.errors + errors });
  }
  const all = [...versions.values()];
  return all.flatMap(({ version, requests, errors }) => {
    if (errors < MIN_ERRORS || errors / requests < HIGH_ERRORS) return [];
    const others = all.filter((other) => other.version !== version);
    const [othersAsked, othersFailed] = [sumOf(others, (other) => other.requests), sumOf(others, (other) => other.errors)];
    if (othersAsked > 0 && errors / requests < TIMES_WORSE * (othersFailed / othersAsked)) return [];
    return [
      warning('version_fails', `service ${name}: ${Math.round((errors / requests) * 1000) / 10} % of the requests to ${version} fail`),
    ];
  });
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

function rolloutAlerts({ rollouts }: AlertFacts): readonly AlertView[] {
  return rollouts.flatMap(({ service, to, phase, note, gates }) => {
    const what = `the rollout of ${service} to ${to}`;
    const why = note === '' ? '' : `: ${note}`;
    if (phase === 'frozen') return [problem('rollout_frozen', `${what} is frozen${why}`)];
    const failing = gates.filter(({ verdict }) => verdict === 'fail').map(({ gate, says }) => `${gate} (${says})`);
    if (failing.length > 0) return [warning('gate_fails', `${what} fails ${failing.join(', ')}`)];
    return phase === 'rolled_back' ? [warning('rollout_rolled_back', `${what} was rolled back${why}`)] : [];
  });
}

function certificateAlerts({ certificates }: AlertFacts): readonly AlertView[] {
  return certificates.flatMap(({ use, file, leftMs }) => {
    const urgency = urgencyOf(leftMs);
    if (urgency === null) return [];
    if (urgency === 'expired') return [problem('certificate_expired', `the certificate of ${use} has expired: ${file}`)];
    const text = `the certificate of ${use} expires in ${daysText(leftMs)}: ${file}`;
    // Nothing is wrong yet: a host that waits to be whole must not wait for it.
    return [urgency === 'expires' ? warning('certificate_expires', text) : warning('certificate_expires_soon', text)];
  });
}
