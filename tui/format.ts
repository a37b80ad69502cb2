// Figures as operators read them; a value that is not known is a dash, never a zero.
import type { ChangeView, ClusterView, TrafficView } from '../balancer/controller/api/views.ts';

export const UNKNOWN = '-';

/** 0 to 1 as a percentage with up to 4 decimals (a millionth is 0.0001%). */
export function share(value: number): string {
  return `${Number((value * 100).toFixed(4))}%`;
}

export function percent(value: number): string {
  return `${Number(value.toFixed(4))}%`;
}

/** A measured ratio: one decimal is all it can be trusted with. */
export function ratio(value: number | null): string {
  return value === null ? UNKNOWN : `${(value * 100).toFixed(1)}%`;
}

export function rate(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value < 10 ? String(Number(value.toFixed(1))) : String(Math.round(value));
}

export function milliseconds(value: number | null): string {
  if (value === null) return UNKNOWN;
  return value < 10 ? `${Number(value.toFixed(1))}ms` : `${Math.round(value)}ms`;
}

export function bytes(value: number): string {
  return `${Math.round(value / (1024 * 1024))}MiB`;
}

/** Ages in the largest unit that keeps two digits of meaning: 850ms, 12s, 5m, 3h, 9d. */
export function age(milliseconds: number | null): string {
  if (milliseconds === null) return UNKNOWN;
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ];
  const unit = units.find(([size]) => milliseconds >= size);
  return unit === undefined ? `${Math.max(0, Math.round(milliseconds))}ms` : `${Math.floor(milliseconds / unit[0])}${unit[1]}`;
}

/** `12 requests and 40 tunnels left; tunnels close in 9m` */
export function running({ running: { requests, tunnels }, tunnelsCloseInSeconds }: ClusterView): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const left = `${count(requests, 'request')} and ${count(tunnels, 'tunnel')} left`;
  if (tunnels === 0 || tunnelsCloseInSeconds === null) return left;
  return `${left}; ${tunnelsCloseInSeconds === 0 ? 'tunnels are being closed' : `tunnels close in ${countdown(tunnelsCloseInSeconds)}`}`;
}

/** What is left of a time, in its two largest units: `45s`, `2m`, `1h59m`, `3d4h`. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const units = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}

/** The time of an ISO date in UTC, to the second. */
export function time(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

export function traffic({ rps, errorRatio, p50Ms, p95Ms, p99Ms }: TrafficView): string {
  const latency = `p50 ${milliseconds(p50Ms)}, p95 ${milliseconds(p95Ms)}, p99 ${milliseconds(p99Ms)}`;
  return `${rate(rps)} requests/s, ${ratio(errorRatio)} errors, ${latency}`;
}

/** `blue=90% green=10%` */
export function split(percents: Readonly<Record<string, number>>): string {
  return Object.entries(percents)
    .map(([version, value]) => `${version}=${percent(value)}`)
    .join(' ');
}

/** A change as the command that asks for it, without `weir`; null came from a config file. */
export function changeText(change: ChangeView | null): string {
  if (change === null) return 'config';
  switch (change.kind) {
    case 'shift':
      return `shift ${change.service} ${pairs(change.percents)}${forText(change)}`;
    case 'shift_clusters':
      return `shift ${change.service} --clusters ${pairs(change.percents)}${forText(change)}`;
    case 'admin':
      return `${VERB[change.state]} ${change.cluster}${forText(change)}${tunnelsText(change)}`;
    case 'dial':
      return `dial ${change.cluster} ${change.percent}${forText(change)}`;
    case 'release':
      return `release ${change.cluster}`;
    case 'reset_quota':
      return `quota reset ${change.consumer}${change.limit === null ? '' : ` --limit ${change.limit}`}`;
    case 'consumer_add':
    case 'consumer_set':
      return `consumer ${change.kind === 'consumer_add' ? 'add' : 'set'} ${change.consumer}${profileText(change.profile)}`;
    case 'consumer_remove':
      return `consumer remove ${change.consumer}`;
    case 'key_issue':
      return `consumer credential issue ${change.consumer} (${change.id})`;
    case 'key_revoke':
      return `consumer credential revoke ${change.consumer} ${change.id}`;
    case 'token_make':
      return `token make ${change.name} (${change.cluster === null ? change.role : `agent of ${change.cluster}`})`;
    case 'token_revoke':
      return `token revoke ${change.name}`;
    case 'void_pins':
      return `pins void ${change.service}`;
    case 'purge':
      return `cache purge${purgeText(change)}`;
    case 'rollout_start':
      return `canary start ${change.service} --to ${change.to} --steps ${change.steps.map((step) => step / 10_000).join(',')}${wavesText(change.waves)}${forText(change)}`;
    case 'rollout':
      return `canary ${change.action} ${change.service}`;
    case 'expire':
      return `return from ${change.revision}`;
    case 'redo':
      return `redo${forText(change)}`;
    case 'undo':
      return `${change.to === null ? 'undo' : `undo --to ${change.to}`}${forText(change)}`;
  }
}

function profileText({
  groups = [],
  scopes = [],
  tags = [],
  plan = '',
}: Extract<ChangeView, { readonly kind: 'consumer_set' }>['profile']): string {
  const words = [
    ...groups.map((one) => ` --group ${one}`),
    ...scopes.map((one) => ` --scope ${one}`),
    ...tags.map((one) => ` --tag ${one}`),
  ];
  return `${words.join('')}${plan === '' ? '' : ` --plan ${plan}`}`;
}

function purgeText(change: Extract<ChangeView, { readonly kind: 'purge' }>): string {
  const { urls = [], prefixes = [], tags = [], route, all = false, soft = false } = change;
  const named = (flag: string, values: readonly string[]): string => (values.length === 0 ? '' : ` --${flag} ${values.join(' ')}`);
  const [host = '', ...others] = new Set(prefixes.map((prefix) => prefix.slice(0, prefix.indexOf('/'))));
  const [paths, hosts] =
    others.length === 0 ? [prefixes.map((prefix) => prefix.slice(host.length)), host === '' ? [] : [host]] : [prefixes, []];
  const where = `${named('url', urls)}${named('prefix', paths)}${named('host', hosts)}${named('tag', tags)}${named('route', route === undefined ? [] : [route])}`;
  return `${where}${all ? ' --all' : ''}${soft ? ' --soft' : ''}`;
}

function forText({ forMs, overMs }: { readonly forMs?: number; readonly overMs?: number }): string {
  return `${overMs === undefined ? '' : ` --over ${countdown(overMs / 1000)}`}${forMs === undefined ? '' : ` --for ${countdown(forMs / 1000)}`}`;
}

function tunnelsText({ tunnels }: Extract<ChangeView, { kind: 'admin' }>): string {
  if (tunnels === undefined || tunnels.deadlineMs === null) return '';
  return tunnels.deadlineMs === 0 ? ' --tunnels move' : ` --deadline ${countdown(tunnels.deadlineMs / 1000)}`;
}

/** As the command takes them. */
function wavesText(waves: readonly (readonly string[])[] = []): string {
  return waves.length === 0 ? '' : ` --waves ${waves.map((wave) => wave.join('+')).join(',')}`;
}

const VERB = { active: 'restore', drain: 'drain', maintenance: 'maintenance' } as const;

function pairs(percents: Readonly<Record<string, number>>): string {
  return Object.entries(percents)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
