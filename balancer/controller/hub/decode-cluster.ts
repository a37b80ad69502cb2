// The part of a report that tells of a Kubernetes cluster: bounded in every list and number, as what says it may be broken or lie. Pure.
import {
  MOST_ENDPOINTS,
  MOST_SERVICES,
  SOURCES,
  type CapacitySnapshot,
  type EndpointsReport,
  type NodesReport,
  type ReportedEndpoint,
  type ServiceReport,
  type SourceReport,
} from '../../../agent/protocol.ts';
import { isHost } from '../../config/addresses.ts';

export type ClusterFigures = Pick<
  CapacitySnapshot,
  'utilisation' | 'utilisationOf' | 'growth' | 'services' | 'endpoints' | 'nodes' | 'pendingPods' | 'controlPlane' | 'sources'
>;

/** Returns undefined for what does not fit. */
type Decode<T> = (value: unknown) => T | undefined;

const MOST_UTILISATION = 100;
const MOST_RPS = 1e9;
const MOST_THINGS = 1_000_000;
/** Nobody grows a thousandfold in two minutes. */
const MOST_GROWTH = 1000;
const SERVICE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const number =
  (from: number, to: number): Decode<number> =>
  (value) =>
    typeof value === 'number' && value >= from && value <= to ? value : undefined;

const count: Decode<number> = (value) => (Number.isInteger(value) ? number(0, MOST_THINGS)(value) : undefined);

const oneOf =
  <const T extends string>(...words: readonly T[]): Decode<T> =>
  (value) =>
    words.find((word) => word === value);

const orNull =
  <T>(decode: Decode<T>): Decode<T | null> =>
  (value) =>
    value === null ? null : decode(value);

const listOf =
  <T>(decode: Decode<T>, most: number): Decode<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > most) return undefined;
    const decoded = value.map(decode).filter((item) => item !== undefined);
    return decoded.length === value.length ? decoded : undefined;
  };

/** Every field by its own decoder; one that does not fit makes the whole not fit. */
const recordOf =
  <T extends object>(fields: { readonly [K in keyof T]: Decode<T[K]> }): Decode<T> =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const decoded: Partial<T> = {};
    for (const name in fields) {
      const field = fields[name](Reflect.get(value, name));
      if (field === undefined) return undefined;
      decoded[name] = field;
    }
    return decoded as T;
  };

const rps = number(0, MOST_RPS);
const utilisation = number(0, MOST_UTILISATION);
const utilisationOf = oneOf('application', 'pods', 'nodes', 'host');
const growth = number(1, MOST_GROWTH);
const service: Decode<ServiceReport> = recordOf<ServiceReport>({
  service: (value) => (typeof value === 'string' && SERVICE_NAME.test(value) ? value : undefined),
  ready: count,
  serving: count,
  total: count,
  ratePerEndpoint: orNull(rps),
  rateOf: orNull(oneOf('declared', 'learned')),
  capacityRps: orNull(rps),
  utilisation: orNull(utilisation),
  utilisationOf: orNull(utilisationOf),
  growth,
  growthBound: oneOf('no_autoscaler', 'max_replicas', 'room', 'pending_pods', 'unknown'),
});

const endpoint: Decode<ReportedEndpoint> = (value) => {
  const plain = recordOf<{ readonly host: string; readonly port: number }>({ host: hostName, port: portNumber })(value);
  if (plain === undefined) return undefined;
  const draining: unknown = Reflect.get(Object(value), 'draining');
  if (draining === undefined || draining === false) return plain;
  return draining === true ? { ...plain, draining } : undefined;
};

const hostName: Decode<string> = (value) => {
  if (typeof value !== 'string') return undefined;
  const host = value.toLowerCase();
  return isHost(host.includes(':') ? `[${host}]` : host) ? host : undefined;
};

const portNumber: Decode<number> = (value) => (Number.isInteger(value) ? number(1, 65_535)(value) : undefined);

const endpoints = recordOf<EndpointsReport>({
  fresh: (value) => (typeof value === 'boolean' ? value : undefined),
  list: listOf(endpoint, MOST_ENDPOINTS),
});

const nodes = recordOf<NodesReport>({ ready: count, total: count, pressed: count, schedulable: count });

const source = recordOf<SourceReport>({ state: oneOf('fresh', 'stale', 'absent'), ageMs: orNull(number(0, Number.MAX_SAFE_INTEGER)) });

/** Of the names that are known; a newer agent may read more. */
const sources: Decode<NonNullable<ClusterFigures['sources']>> = (value) => {
  if (typeof value !== 'object' || value === null) return undefined;
  const decoded: Partial<Record<(typeof SOURCES)[number], SourceReport>> = {};
  for (const name of SOURCES) {
    const said: unknown = Reflect.get(value, name);
    if (said === undefined) continue;
    const one = source(said);
    if (one === undefined) return undefined;
    decoded[name] = one;
  }
  return decoded;
};

const FIELDS: { readonly [K in keyof ClusterFigures]-?: Decode<NonNullable<ClusterFigures[K]>> } = {
  utilisation,
  utilisationOf,
  growth,
  services: listOf(service, MOST_SERVICES),
  endpoints,
  nodes,
  pendingPods: count,
  controlPlane: oneOf('ready', 'degraded', 'away'),
  sources,
};

/** The fields that are there, without what is not known of them; null: one of them cannot be. */
export function decodeCluster(value: Readonly<Record<string, unknown>>): ClusterFigures | null {
  const decoded: Record<string, unknown> = {};
  for (const [name, decode] of Object.entries<Decode<unknown>>(FIELDS)) {
    if (value[name] === undefined) continue;
    const field = decode(value[name]);
    if (field === undefined) return null;
    decoded[name] = field;
  }
  return decoded;
}
