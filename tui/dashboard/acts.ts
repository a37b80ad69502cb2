// What can be done from the dashboard, as data: each act is a command line, and the appliance is asked what it would come to before anything is done.
import type { ServiceView } from '../../balancer/controller/api/views.ts';
import type { Subject } from './screen-definition.ts';
import type { DashboardState, FormField, MenuItem, Overlay, Snapshot, WeightValue } from './state.ts';

/** What pressing the key of an act leads to. */
export type Beginning =
  | { readonly kind: 'line'; readonly words: readonly string[] }
  | { readonly kind: 'overlay'; readonly overlay: Overlay }
  | { readonly kind: 'no'; readonly why: string };

export interface Act {
  readonly name: string;
  readonly key: string;
  readonly help: string;
  /** Marked rows are done one after the other. */
  readonly many: boolean;
  readonly begin: (subject: Subject, sight: { readonly state: DashboardState; readonly snapshot: Snapshot }) => Beginning;
  /** The command line of a filled form. */
  readonly words?: (subject: string, values: Readonly<Record<string, string>>) => readonly string[];
}

const field = (name: string, label: string, hint: string, value = ''): FormField => ({ name, label, value, choices: null, hint });
const choice = (name: string, label: string, choices: readonly string[], value: string): FormField => ({
  name,
  label,
  value,
  choices,
  hint: 'left, right',
});
const REASON = field('reason', 'reason', 'why, for the audit');
const OVER = field('over', 'over', 'come little by little, over this time: 10m; empty: at once');
const FOR = field('for', 'for', 'return by itself after this time: 30m, 2h; empty: it stays');

/** `--for 2h`, for what was filled in. */
function options(values: Readonly<Record<string, string>>, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const value = values[name]?.trim() ?? '';
    return value === '' ? [] : [`--${name}`, value];
  });
}

const no = (why: string): Beginning => ({ kind: 'no', why });

function onCluster(act: string, title: string, fields: readonly FormField[]): Act['begin'] {
  return ({ cluster }) => {
    if (cluster === undefined) return no('choose a cluster first: overview (1) or cluster (3)');
    if (fields.length === 0) return { kind: 'line', words: [act, cluster] };
    return { kind: 'overlay', overlay: { kind: 'form', act, title: `${title} ${cluster}`, subject: cluster, fields, index: 0 } };
  };
}

/** The service that is meant: of the row, or the only one there is. */
function serviceOf({ service }: Subject, { snapshot }: { readonly snapshot: Snapshot }): ServiceView | null {
  const { services } = snapshot.status;
  return services.find(({ name }) => name === service) ?? (service === undefined && services.length === 1 ? (services[0] ?? null) : null);
}

/** The row is about no service: which one is asked. Those that `first` names stand above the others. */
function chooseService(act: string, { snapshot }: { readonly snapshot: Snapshot }, first: readonly MenuItem[] = []): Beginning {
  const { services } = snapshot.status;
  if (services.length === 0) return no('there are no services');
  const items = services.map(({ name }): MenuItem => ({ label: name, act, subject: { service: name } }));
  const named = new Set(first.map((item) => ('subject' in item ? item.subject.service : '')));
  const others = items.filter((item) => !('subject' in item) || !named.has(item.subject.service));
  return { kind: 'overlay', overlay: { kind: 'menu', title: `${act}: of which service?`, items: [...first, ...others], index: 0 } };
}

function beginCanary(subject: Subject, sight: { readonly state: DashboardState; readonly snapshot: Snapshot }): Beginning {
  const service = serviceOf(subject, sight);
  if (service === null) {
    const running = sight.snapshot.status.rollouts.map(({ service: name, to, phase }): MenuItem => {
      return { label: `${name}: rollout to ${to}, ${phase}`, act: 'canary', subject: { service: name } };
    });
    return chooseService('canary', sight, running);
  }
  const { name, split } = service;
  const rollout = sight.snapshot.status.rollouts.find((one) => one.service === name);
  if (rollout !== undefined) {
    const item = (label: string, act: string) => ({ label, words: ['canary', act, name] });
    const goes = rollout.phase === 'running' ? item('pause: stay at this step', 'pause') : item('resume: go on, this step anew', 'resume');
    const items = [
      goes,
      item(`promote: give ${rollout.to} everything now`, 'promote'),
      item('abort: back to the split before it', 'abort'),
    ];
    return { kind: 'overlay', overlay: { kind: 'menu', title: `rollout of ${name} to ${rollout.to}, ${rollout.phase}`, items, index: 0 } };
  }
  const versions = Object.keys(split);
  const least = subject.version ?? leastOf(split);
  if (versions.length < 2) return no(`${name} has one version; a rollout needs another one in the config`);
  const fields = [
    choice('to', 'version', versions, least),
    field('steps', 'steps', 'percentages, such as 1,5,25,50,100; empty: as the config says'),
    field('hold', 'hold', 'how long each step lasts at least, such as 3m; empty: as the config says'),
    field('gate', 'gates', 'separated by spaces: errors<1% p95<1.2x; empty: as the config says'),
    choice('on-fail', 'on a failed gate', ['as the config says', 'rollback', 'step-back', 'freeze'], 'as the config says'),
    REASON,
  ];
  return { kind: 'overlay', overlay: { kind: 'form', act: 'canary', title: `canary of ${name}`, subject: name, fields, index: 0 } };
}

function leastOf(split: Readonly<Record<string, number>>): string {
  return Object.entries(split).toSorted(([, one], [, other]) => one - other)[0]?.[0] ?? '';
}

function canaryWords(service: string, values: Readonly<Record<string, string>>): readonly string[] {
  const gates = (values['gate'] ?? '').split(/\s+/).filter(Boolean);
  const onFail = values['on-fail'] === 'as the config says' ? {} : { 'on-fail': values['on-fail'] ?? '' };
  const said = options({ ...values, 'on-fail': '', ...onFail }, ['to', 'steps', 'hold', 'on-fail', 'reason']);
  return ['canary', 'start', service, ...said, ...(gates.length === 0 ? [] : ['--gate', ...gates])];
}

function beginSwitch(subject: Subject, sight: { readonly state: DashboardState; readonly snapshot: Snapshot }): Beginning {
  const service = serviceOf(subject, sight);
  if (service === null) return chooseService('switch', sight);
  const versions = Object.keys(service.split).filter((version) => (service.split[version] ?? 0) < 100);
  const to = subject.version !== undefined && versions.includes(subject.version) ? subject.version : (versions[0] ?? '');
  if (versions.length === 0 || Object.keys(service.split).length < 2) return no(`${service.name} has no other version to switch to`);
  const fields = [
    choice('to', 'to version', versions, to),
    field('warm', 'warm', 'how long it gets a small share first, such as 30s; empty: not at all'),
    field('keep-old', 'keep old', 'how long a failed gate goes back by itself, such as 15m; empty: 1m'),
    OVER,
    REASON,
  ];
  return {
    kind: 'overlay',
    overlay: { kind: 'form', act: 'switch', title: `switch ${service.name}`, subject: service.name, fields, index: 0 },
  };
}

/** Of a service its split, of a cluster its dial. */
function beginWeights(subject: Subject, sight: { readonly state: DashboardState; readonly snapshot: Snapshot }): Beginning {
  const { cluster } = subject;
  const found = sight.snapshot.status.clusters.find(({ name }) => name === cluster);
  if (subject.service === undefined && found !== undefined)
    return { kind: 'overlay', overlay: weightsOverlay('dial', found.name, [{ name: found.name, percent: found.dialPercent }]) };
  const service = serviceOf(subject, sight);
  if (service === null) return chooseService('weights', sight);
  return { kind: 'overlay', overlay: weightsOverlay('versions', service.name, versionWeights(service)) };
}

export function versionWeights({ split }: ServiceView): readonly WeightValue[] {
  return Object.entries(split).map(([name, percent]) => ({ name, percent: round(percent) }));
}

/** As they are asked for, over all versions. */
export function clusterWeights({ targets }: ServiceView): readonly WeightValue[] {
  const totals = new Map<string, number>();
  for (const { cluster, desiredShare } of targets) totals.set(cluster, (totals.get(cluster) ?? 0) + desiredShare * 100);
  return [...totals].map(([name, percent]) => ({ name, percent: round(percent) }));
}

export function weightsOverlay(of: 'versions' | 'clusters' | 'dial', subject: string, before: readonly WeightValue[]): Overlay {
  return { kind: 'weights', of, subject, before, values: before, index: 0, typed: '', preview: null, ask: 0 };
}

/** To a millionth of the whole, the finest that can be asked for. */
export function round(percent: number): number {
  return Math.round(percent * 10_000) / 10_000;
}

export const ACTS: readonly Act[] = [
  { name: 'weights', key: 'w', help: 'weights, dial', many: false, begin: beginWeights },
  { name: 'canary', key: 'c', help: 'canary: start, pause, promote, abort', many: false, begin: beginCanary, words: canaryWords },
  {
    ...{ name: 'switch', key: 'b', help: 'switch to another version', many: false, begin: beginSwitch },
    words: (service, values) => ['switch', service, ...options(values, ['to', 'warm', 'keep-old', 'over', 'reason'])],
  },
  {
    ...{ name: 'drain', key: 'd', help: 'drain a cluster', many: true },
    begin: onCluster('drain', 'drain', [
      FOR,
      field('deadline', 'deadline', 'close tunnels that are left then, such as 10m; empty: as the config says'),
      OVER,
      REASON,
    ]),
    words: (cluster, values) => ['drain', cluster, ...options(values, ['for', 'deadline', 'over', 'reason'])],
  },
  { name: 'restore', key: 'e', help: 'restore a cluster', many: true, begin: onCluster('restore', 'restore', []) },
  {
    ...{
      name: 'maintenance',
      key: 'm',
      help: 'maintenance of a cluster',
      many: true,
      begin: onCluster('maintenance', 'maintenance of', [FOR, OVER, REASON]),
    },
    words: (cluster, values) => ['maintenance', cluster, ...options(values, ['for', 'over', 'reason'])],
  },
  { name: 'release', key: 'L', help: 'release a cluster that waits', many: true, begin: onCluster('release', 'release', []) },
  { name: 'undo', key: 'u', help: 'take back the last change', many: false, begin: () => ({ kind: 'line', words: ['undo'] }) },
  {
    ...{ name: 'undoTo', key: 'U', help: 'back to the selected revision', many: false },
    begin: ({ revision }) =>
      revision === undefined ? no('choose a revision first: changes (4)') : { kind: 'line', words: ['undo', '--to', String(revision)] },
  },
  { name: 'redo', key: 'R', help: 'bring back what was undone', many: false, begin: () => ({ kind: 'line', words: ['redo'] }) },
];
