// The border between stored text and what the program works with: a record that does not fit is told, never half used.
import type { DrainConfig } from '../config/drain-config.ts';
import type {
  AdminState,
  Author,
  Change,
  ClusterIntent,
  DecisionInputs,
  Intent,
  PurgeChange,
  Returned,
  Revision,
  ServiceIntent,
  TouchedField,
  TunnelDeadline,
} from '../intent/intent.ts';
import type { Purge } from '../intent/purge.ts';
import { decodeCallerChange, decodeCallers } from './decode-callers.ts';
import { list, members, number, oneOf, parse, record, string, type Decode, type Members } from './decode-parts.ts';
import type { HeldField, Override } from '../intent/override.ts';
import type { RolloutIntent, RolloutPlan } from '../intent/rollout.ts';
import { decodeGlides } from './decode-glides.ts';
import { decodeTokenChange, decodeTokens } from './decode-tokens.ts';

/** `what` names the text in messages, e.g. `intent 12`. */
export function decodeIntent(text: string, what: string): Intent {
  const intent = members(parse(text, what), what);
  return {
    revision: number(intent['revision'], `${what}.revision`),
    services: record(serviceIntent)(intent['services'], `${what}.services`),
    clusters: record(clusterIntent)(intent['clusters'], `${what}.clusters`),
    ...(intent['quotaEpochs'] === undefined ? {} : { quotaEpochs: numbersByName(intent['quotaEpochs'], `${what}.quotaEpochs`) }),
    ...(intent['callers'] === undefined ? {} : { callers: decodeCallers(intent['callers'], `${what}.callers`) }),
    ...(intent['tokens'] === undefined ? {} : { tokens: decodeTokens(intent['tokens'], `${what}.tokens`) }),
    ...(intent['overrides'] === undefined ? {} : { overrides: record(override)(intent['overrides'], `${what}.overrides`) }),
    ...(intent['glides'] === undefined ? {} : { glides: decodeGlides(intent['glides'], `${what}.glides`) }),
    ...(intent['purges'] === undefined ? {} : { purges: record(purge)(intent['purges'], `${what}.purges`) }),
  };
}

export function decodeRevision(text: string, what: string): Revision {
  const value = members(parse(text, what), what);
  const at = (name: string) => `${what}.${name}`;
  return {
    revision: number(value['revision'], at('revision')),
    at: string(value['at'], at('at')),
    author: author(value['author'], at('author')),
    source: oneOf(['operator', 'config', 'rollout', 'expiry', 'drill'], value['source'], at('source')),
    reason: string(value['reason'], at('reason')),
    change: value['change'] === null ? null : change(value['change'], at('change')),
    touched: list(touchedField)(value['touched'], at('touched')),
    undoes: value['undoes'] === null ? null : number(value['undoes'], at('undoes')),
    ...(value['overruled'] === undefined ? {} : { overruled: list(string)(value['overruled'], at('overruled')) }),
    ...(value['approvedBy'] === undefined ? {} : { approvedBy: author(value['approvedBy'], at('approvedBy')) }),
    ...(value['inputs'] === undefined ? {} : { inputs: decisionInputs(value['inputs'], at('inputs')) }),
    previousHash: string(value['previousHash'], at('previousHash')),
    hash: string(value['hash'], at('hash')),
  };
}

const numbers = record(number);
const numbersByName = record(numbers);

function decisionInputs(value: unknown, path: string): DecisionInputs {
  const of = members(value, path);
  return {
    services: record((one, at) => {
      const { rps, shares, lost } = members(one, at);
      return { rps: number(rps, `${at}.rps`), shares: numbers(shares, `${at}.shares`), lost: number(lost, `${at}.lost`) };
    })(of['services'], `${path}.services`),
    clusters: record((one, at) => {
      const { state, rps, capacityRps } = members(one, at);
      const capacity = capacityRps === null ? null : number(capacityRps, `${at}.capacityRps`);
      return { state: string(state, `${at}.state`), rps: number(rps, `${at}.rps`), capacityRps: capacity };
    })(of['clusters'], `${path}.clusters`),
  };
}

function serviceIntent(value: unknown, path: string): ServiceIntent {
  const service = members(value, path);
  const routes = service['routes'];
  const pinEpoch = service['pinEpoch'];
  const rollout = service['rollout'];
  return {
    split: numbers(service['split'], `${path}.split`),
    splitSeed: numbers(service['splitSeed'], `${path}.splitSeed`),
    clusterWeights: numbersByName(service['clusterWeights'], `${path}.clusterWeights`),
    clusterWeightsSeed: numbersByName(service['clusterWeightsSeed'], `${path}.clusterWeightsSeed`),
    ...(service['clusterSplits'] === undefined ? {} : { clusterSplits: numbersByName(service['clusterSplits'], `${path}.clusterSplits`) }),
    ...(pinEpoch === undefined ? {} : { pinEpoch: number(pinEpoch, `${path}.pinEpoch`) }),
    ...(rollout === undefined ? {} : { rollout: rolloutIntent(rollout, `${path}.rollout`) }),
    ...(routes === undefined ? {} : { routes: list(string)(routes, `${path}.routes`) }),
  };
}

function rolloutIntent(value: unknown, path: string): RolloutIntent {
  const of = members(value, path);
  return {
    ...rolloutPlan(of, path),
    id: number(of['id'], `${path}.id`),
    from: numbers(of['from'], `${path}.from`),
    usualErrorRatio: number(of['usualErrorRatio'], `${path}.usualErrorRatio`),
    phase: oneOf(['running', 'paused', 'frozen', 'promoted', 'rolled_back', 'aborted'], of['phase'], `${path}.phase`),
    step: number(of['step'], `${path}.step`),
    stepAt: string(of['stepAt'], `${path}.stepAt`),
    ...(of['wave'] === undefined ? {} : { wave: number(of['wave'], `${path}.wave`) }),
    ...(of['toWeights'] === undefined ? {} : { toWeights: numbers(of['toWeights'], `${path}.toWeights`) }),
    note: string(of['note'], `${path}.note`),
  };
}

function rolloutPlan(of: Members, path: string): RolloutPlan {
  return {
    to: string(of['to'], `${path}.to`),
    steps: list(number)(of['steps'], `${path}.steps`),
    holdMs: list(number)(of['holdMs'], `${path}.holdMs`),
    minRequests: number(of['minRequests'], `${path}.minRequests`),
    gates: list(string)(of['gates'], `${path}.gates`),
    onFail: oneOf(['rollback', 'step-back', 'freeze'], of['onFail'], `${path}.onFail`),
    ...(of['waves'] === undefined ? {} : { waves: list(list(string))(of['waves'], `${path}.waves`) }),
    ...overTime(of, path),
  };
}

function clusterIntent(value: unknown, path: string): ClusterIntent {
  const cluster = members(value, path);
  const releases = cluster['releases'];
  const returned = cluster['returned'];
  const tunnels = cluster['tunnels'];
  return {
    ...(releases === undefined ? {} : { releases: number(releases, `${path}.releases`) }),
    admin: adminState(cluster['admin'], `${path}.admin`),
    dialPercent: number(cluster['dialPercent'], `${path}.dialPercent`),
    ...(returned === undefined ? {} : { returned: returnedFrom(returned, `${path}.returned`) }),
    ...(tunnels === undefined ? {} : { tunnels: tunnelDeadline(tunnels, `${path}.tunnels`) }),
  };
}

function returnedFrom(value: unknown, path: string): Returned {
  const of = members(value, path);
  return { revision: number(of['revision'], `${path}.revision`), from: number(of['from'], `${path}.from`) };
}

function tunnelDeadline(value: unknown, path: string): TunnelDeadline {
  const of = members(value, path);
  return { at: string(of['at'], `${path}.at`), perSecond: nullable(of['perSecond'], `${path}.perSecond`) };
}

function drainConfig(value: unknown, path: string): DrainConfig {
  const of = members(value, path);
  return {
    deadlineMs: nullable(of['deadlineMs'], `${path}.deadlineMs`),
    tunnelsPerSecond: nullable(of['tunnelsPerSecond'], `${path}.tunnelsPerSecond`),
  };
}

function overTime(of: Members, path: string): { readonly overMs?: number } {
  return of['overMs'] === undefined ? {} : { overMs: number(of['overMs'], `${path}.overMs`) };
}

function nullable(value: unknown, path: string): number | null {
  return value === null ? null : number(value, path);
}

function override(value: unknown, path: string): Override {
  const of = members(value, path);
  return {
    until: string(of['until'], `${path}.until`),
    fields: list(heldField)(of['fields'], `${path}.fields`),
    ...overTime(of, path),
  };
}

function purge(value: unknown, path: string): Purge {
  const of = members(value, path);
  return {
    at: string(of['at'], `${path}.at`),
    soft: of['soft'] === true,
    route: of['route'] === null ? null : string(of['route'], `${path}.route`),
    urls: list(string)(of['urls'], `${path}.urls`),
    prefixes: list(string)(of['prefixes'], `${path}.prefixes`),
    tags: list(string)(of['tags'], `${path}.tags`),
  };
}

function purgeChange(of: Members, path: string): PurgeChange {
  const texts = (name: 'urls' | 'prefixes' | 'tags'): Partial<PurgeChange> =>
    of[name] === undefined ? {} : { [name]: list(string)(of[name], `${path}.${name}`) };
  return {
    ...{ kind: 'purge', ...texts('urls'), ...texts('prefixes'), ...texts('tags') },
    ...(of['route'] === undefined ? {} : { route: string(of['route'], `${path}.route`) }),
    ...(of['all'] === true ? { all: true } : {}),
    ...(of['soft'] === true ? { soft: true } : {}),
  };
}

function heldField(value: unknown, path: string): HeldField {
  const of = members(value, path);
  const kind = oneOf(['split', 'clusterWeights', 'admin', 'dialPercent'], of['kind'], `${path}.kind`);
  const both = <T>(decode: Decode<T>) => ({ before: decode(of['before'], `${path}.before`), held: decode(of['held'], `${path}.held`) });
  const name = (member: 'service' | 'version' | 'cluster') => string(of[member], `${path}.${member}`);
  switch (kind) {
    case 'split':
      return { kind, service: name('service'), ...both(numbers) };
    case 'clusterWeights':
      return { kind, service: name('service'), version: name('version'), ...both(numbers) };
    case 'admin':
      return { kind, cluster: name('cluster'), ...both(adminState) };
    case 'dialPercent':
      return { kind, cluster: name('cluster'), ...both(number) };
  }
}

const ADMIN_STATES = ['active', 'drain', 'maintenance'] as const;

function adminState(value: unknown, path: string): AdminState {
  return oneOf(ADMIN_STATES, value, path);
}

function author(value: unknown, path: string): Author {
  const of = members(value, path);
  return { name: string(of['name'], `${path}.name`), how: string(of['how'], `${path}.how`) };
}

function touchedField(value: unknown, path: string): TouchedField {
  const field = members(value, path);
  return { path: list(string)(field['path'], `${path}.path`), before: field['before'], after: field['after'] };
}

const KINDS = [
  'shift',
  'shift_clusters',
  'admin',
  'dial',
  'release',
  'void_pins',
  'purge',
  'reset_quota',
  'consumer_add',
  'consumer_set',
  'consumer_remove',
  'key_issue',
  'key_revoke',
  'token_make',
  'token_revoke',
  'rollout_start',
  'rollout',
  'expire',
  'undo',
  'redo',
] as const;
const ACTIONS = ['pause', 'resume', 'promote', 'abort', 'step', 'end', 'fail'] as const;

function change(value: unknown, path: string): Change {
  const of = members(value, path);
  const kind = oneOf(KINDS, of['kind'], `${path}.kind`);
  const over = overTime(of, path);
  const time = { ...(of['forMs'] === undefined ? {} : { forMs: number(of['forMs'], `${path}.forMs`) }), ...over };
  switch (kind) {
    case 'shift':
    case 'shift_clusters':
      return { kind, service: string(of['service'], `${path}.service`), percents: numbers(of['percents'], `${path}.percents`), ...time };
    case 'admin':
      return {
        kind,
        cluster: string(of['cluster'], `${path}.cluster`),
        state: adminState(of['state'], `${path}.state`),
        ...(of['tunnels'] === undefined ? {} : { tunnels: drainConfig(of['tunnels'], `${path}.tunnels`) }),
        ...time,
      };
    case 'dial':
      return { kind, cluster: string(of['cluster'], `${path}.cluster`), percent: number(of['percent'], `${path}.percent`), ...time };
    case 'release':
      return { kind, cluster: string(of['cluster'], `${path}.cluster`) };
    case 'reset_quota':
      return {
        kind,
        consumer: string(of['consumer'], `${path}.consumer`),
        limit: of['limit'] === null ? null : string(of['limit'], `${path}.limit`),
      };
    case 'consumer_add':
    case 'consumer_set':
    case 'consumer_remove':
    case 'key_issue':
    case 'key_revoke':
      return decodeCallerChange(kind, of, path);
    case 'token_make':
    case 'token_revoke':
      return decodeTokenChange(kind, of, path);
    case 'void_pins':
      return { kind, service: string(of['service'], `${path}.service`) };
    case 'purge':
      return purgeChange(of, path);
    case 'rollout_start':
      return { kind, service: string(of['service'], `${path}.service`), ...rolloutPlan(of, path) };
    case 'rollout':
      return { kind, service: string(of['service'], `${path}.service`), action: oneOf(ACTIONS, of['action'], `${path}.action`) };
    case 'expire':
      return { kind, revision: number(of['revision'], `${path}.revision`) };
    case 'redo':
      return { kind, ...over };
    case 'undo':
      return { kind, to: of['to'] === null ? null : number(of['to'], `${path}.to`), ...over };
  }
}
