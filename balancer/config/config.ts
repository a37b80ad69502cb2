// The complete, defaulted, frozen configuration as every other part reads it. Plain JSON: it travels to the workers as it is.

/** Shares and splits are integers out of this. */
export const MILLION = 1_000_000;

export interface Bind {
  readonly host: string;
  readonly port: number;
}

/** Where a secret is; the secret itself never stands in a config, message or record. */
export type SecretReference = { readonly file: string } | { readonly env: string };

export interface CertificateFiles {
  /** Absolute paths of PEM files; re-read when they change. */
  readonly cert: string;
  readonly key: string;
}

export interface ListenerTls {
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface ListenerTimeouts {
  /** First byte of a request head to its last. */
  readonly requestHeadMs: number;
  /** Between two requests on a kept connection. */
  readonly keepAliveMs: number;
  /** Between two bytes of a request body. */
  readonly requestBodyMs: number;
  /** A TLS handshake. */
  readonly handshakeMs: number;
  /** A client that does not read its response. */
  readonly writeMs: number;
}

export interface ListenerLimits {
  readonly headBytes: number;
  readonly fields: number;
  readonly connections: number;
}

export interface ListenerHttp2 {
  readonly enabled: boolean;
  /** Streams of a connection that may be open at once. */
  readonly maxStreams: number;
  /** Bytes of a request body that may be on their way before somebody takes them. */
  readonly streamWindow: number;
  /** The same of all streams of a connection together. */
  readonly connectionWindow: number;
  /** Streams that a client may reset, or make us reset, without end. */
  readonly resetsPerSecond: number;
}

export interface ListenerConfig {
  readonly name: string;
  readonly bind: Bind;
  readonly tls: ListenerTls | null;
  /** CIDR blocks whose forwarded fields and request ids are believed. */
  readonly trustedPeers: readonly string[];
  readonly timeouts: ListenerTimeouts;
  readonly limits: ListenerLimits;
  readonly http2: ListenerHttp2;
}

export interface AdminConfig {
  readonly bind: Bind | null;
  readonly tls: CertificateFiles | null;
}

export interface AgentListenerConfig {
  readonly bind: Bind;
  readonly tls: ListenerTls | null;
  readonly allowPlain: boolean;
}

/** One gateway address of a cluster. `id` is `host:port`, unique within the cluster. */
export interface EndpointConfig {
  readonly id: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export type ProbeKind =
  | { readonly kind: 'http'; readonly path: string; readonly host: string | null; readonly statuses: readonly StatusRange[] }
  | { readonly kind: 'tcp' };

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export interface ProbeConfig {
  readonly probe: ProbeKind;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

export interface ClusterTls {
  /** Absolute path of a PEM file; null: the system's authorities. */
  readonly ca: string | null;
  readonly serverName: string | null;
  /** False only when the file says `verify: false`. */
  readonly verify: boolean;
}

export interface OutlierConfig {
  readonly consecutive: number;
  readonly ratio: number;
  readonly minRequests: number;
  readonly windowMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
}

export interface ClusterConfig {
  readonly name: string;
  readonly region: string | null;
  readonly endpoints: readonly EndpointConfig[];
  readonly tls: ClusterTls;
  /** Null: no active probe; the cluster is up until traffic says otherwise. */
  readonly health: ProbeConfig | null;
  readonly outlier: OutlierConfig;
  readonly capacity: { readonly rps: number } | null;
  readonly balance: string;
  readonly connectTimeoutMs: number;
  /** Idle upstream connections are closed after this. */
  readonly keepAliveMs: number;
  /** Upstream connections per worker and endpoint. */
  readonly maxConnections: number;
  readonly lastResort: boolean;
}

export interface PlacementConfig {
  readonly cluster: string;
  /** Relative; positive or 0. */
  readonly weight: number;
  /** Lower is used first. */
  readonly priority: number;
  /** Host field sent upstream; null: the client's. */
  readonly host: string | null;
}

export interface VersionConfig {
  readonly name: string;
  readonly placements: readonly PlacementConfig[];
  readonly health: ProbeConfig | null;
}

export type SteerPolicy = 'capacity' | 'weighted' | 'priority' | 'nearest';
export type OnUnavailable = 'redistribute' | 'fail' | 'hold';

export interface ServiceTimeouts {
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
  /** The whole exchange, all attempts together; 0: none. */
  readonly requestMs: number;
  readonly tunnelIdleMs: number;
}

export interface RetryConfig {
  /** Attempts beyond the first. */
  readonly attempts: number;
  /** Retries in flight as a part of requests in flight. */
  readonly budgetRatio: number;
  readonly budgetMin: number;
}

export interface ServiceConfig {
  readonly name: string;
  /** In the file's order. */
  readonly versions: readonly VersionConfig[];
  /** Millionths per version; sums to MILLION; every version is named. */
  readonly split: Readonly<Record<string, number>>;
  readonly steer: { readonly policy: SteerPolicy };
  readonly onUnavailable: OnUnavailable;
  readonly timeouts: ServiceTimeouts;
  readonly retries: RetryConfig;
}

export type ValueMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' };

export interface FieldMatch {
  /** Lower case for header fields; as written for query parameters. */
  readonly name: string;
  readonly match: ValueMatch;
}

export type PathMatch =
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string };

export interface RouteMatch {
  /** Lower case, without port; `*.example.com` matches one or more labels; empty: any host. */
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  /** Upper case; empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly FieldMatch[];
  readonly query: readonly FieldMatch[];
}

export interface FilterConfig {
  readonly name: string;
  /** As the filter's own schema decoded it. */
  readonly options: unknown;
}

export interface RouteConfig {
  readonly name: string;
  /** Names of listeners; empty: all. */
  readonly listeners: readonly string[];
  readonly match: RouteMatch;
  readonly service: string;
  readonly filters: readonly FilterConfig[];
}

export interface AccessLogConfig {
  /** `stdout` or an absolute path. */
  readonly target: string;
}

export interface Config {
  readonly hostName: string;
  /** Absolute. */
  readonly stateDir: string;
  readonly workers: number;
  /** How long a stopping worker lets requests finish. */
  readonly drainDeadlineMs: number;
  readonly listeners: readonly ListenerConfig[];
  readonly admin: AdminConfig;
  readonly agents: AgentListenerConfig | null;
  readonly metrics: { readonly bind: Bind } | null;
  readonly accessLog: AccessLogConfig | null;
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly routes: readonly RouteConfig[];
  /** SHA-256 of the canonical JSON of the fleet part, in hex; two hosts that serve the same have the same. */
  readonly hash: string;
}
