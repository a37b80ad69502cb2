// The complete, defaulted, frozen configuration as every other part reads it. Plain JSON: it travels to the workers as it is.
import type { AgentListenerConfig, ClusterAgent, ClusterCapacity } from './capacity-config.ts';
import type { CircuitConfig } from './circuit-config.ts';
import type { RedisConfig } from './redis-config.ts';
import type { ConsumerConfig, CredentialsConfig } from './consumer-config.ts';
import type { IssuerConfig } from './issuer-config.ts';
import type { LimitConfig } from './limit-config.ts';
import type { AskedGateConfig } from './gate-config.ts';
import type { ProxyVersion } from '../message/proxy-protocol.ts';
import type { KeySource } from '../message/request-key.ts';
import type { ClientLocations, RegionDistances } from './region-config.ts';
import type { DrainConfig } from './drain-config.ts';
import type { DecisionLogConfig } from './decision-log-config.ts';
import type { DiscoveryConfig } from './discovery-config.ts';
import type { DrillConfig } from './drill-config.ts';
import type { AssignRule } from './assign-config.ts';
import type { FieldMatch } from './match-config.ts';
import type { MirrorConfig } from './mirror-config.ts';
import type { ProcessConfig } from './process-config.ts';
import type { RetryConfig } from './retry-config.ts';
import type { RolloutConfig } from './rollout-config.ts';
import type { SafetyConfig } from './safety-config.ts';
import type { ServiceTimeouts } from './service-timeouts.ts';
import type { StickyConfig } from './sticky-config.ts';
import type { TelemetryConfig } from './telemetry-config.ts';

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

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface ClientCertificates {
  /** One that is sent must be good in any case. */
  readonly mode: 'optional' | 'required';
  /** Absolute path of a PEM file; re-read when it changes. */
  readonly ca: string;
  /** Absolute path of a PEM file of revocation lists; re-read when it changes. Null: none is looked at. */
  readonly crl: string | null;
  /** What the cluster is told of it. */
  readonly forward: 'none' | 'certificate' | 'chain';
}

export interface ListenerTls {
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: TlsVersion;
  /** OpenSSL names; at least one for each version that is accepted. */
  readonly ciphers: readonly string[];
  /** Null: clients are not asked for one. */
  readonly clientCertificates: ClientCertificates | null;
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
  /** Of one client address, or of one /64 of IPv6. */
  readonly connectionsPerAddress: number;
  readonly requestsPerConnection: number;
  /** Of a request body; 0: no limit. */
  readonly bodyBytes: number;
  /** Bytes per second of a request body, after a grace; 0: no limit. */
  readonly bodyRate: number;
}

/** `tcp` and `tls-passthrough` hand bytes on as they are, the second routed by the server name of TLS; `readiness` tells whether the host can serve. */
export type ListenerProtocol = 'http' | 'tcp' | 'tls-passthrough' | 'readiness';

/** What becomes of request fields with `_` in their names. */
export type UnderscorePolicy = 'drop' | 'reject' | 'keep';

export interface ProxyProtocolConfig {
  /** CIDR blocks of the proxies that may send the header. */
  readonly from: readonly string[];
  /** False: who sends no header is taken for the client itself. */
  readonly required: boolean;
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
  readonly protocol: ListenerProtocol;
  readonly tls: ListenerTls | null;
  /** Null: connections begin with TLS or HTTP. */
  readonly proxyProtocol: ProxyProtocolConfig | null;
  /** CIDR blocks whose forwarded fields and request ids are believed. */
  readonly trustedPeers: readonly string[];
  readonly timeouts: ListenerTimeouts;
  readonly limits: ListenerLimits;
  readonly headers: { readonly underscores: UnderscorePolicy };
  readonly http2: ListenerHttp2;
}

export interface AdminConfig {
  readonly bind: Bind | null;
  readonly tls: CertificateFiles | null;
}

/** One gateway address of a cluster. `id` is `host:port`, unique within the cluster. */
export interface EndpointConfig {
  readonly id: string;
  /** `https`: HTTP/2 by ALPN, else HTTP/1.1; `http`: HTTP/1.1; `h2c`: HTTP/2 without TLS, known beforehand; `tcp`: bytes that nobody looks at. */
  readonly scheme: 'http' | 'https' | 'h2c' | 'tcp';
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
  readonly minVersion: TlsVersion;
  /** What weir proves itself with; null: nothing. Re-read when it changes, as the authorities are. */
  readonly certificate: CertificateFiles | null;
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

/** How HTTP/2 is spoken to endpoints. */
export interface ClusterHttp2 {
  /** Whether `https` endpoints are offered HTTP/2. */
  readonly enabled: boolean;
  /** Requests at a time on one connection before another is opened. */
  readonly streamsPerConnection: number;
}

/** How a cluster that was down gets its share back: at once, in a ramp, or when an operator releases it. */
export type FailbackMode = 'auto' | 'ramp' | 'manual';

export interface FailbackConfig {
  readonly mode: FailbackMode;
  /** Length of the ramp. */
  readonly windowMs: number;
}

/** What a policy that keeps keys at endpoints goes by. */
export interface HashConfig {
  readonly key: KeySource;
  /** 1.25 to 2: an endpoint has at most this many times the mean of requests in flight. */
  readonly factor: number;
}

/** An endpoint that is new or back gets its part of the requests little by little. */
export interface SlowStartConfig {
  /** 0: at once. */
  readonly windowMs: number;
  /** Its part begins here; 0 to 1. */
  readonly minimum: number;
  /** 1: in a line; above: faster at first. */
  readonly aggression: number;
}

/** Bounds on requests in work, of this host; 0: none. */
export interface ClusterLimits {
  readonly requests: number;
  readonly requestsPerEndpoint: number;
  /** Requests that may wait for room. */
  readonly queueLength: number;
  readonly queueMs: number;
}

export interface ClusterConfig {
  readonly name: string;
  readonly region: string | null;
  /** Empty where they are discovered. */
  readonly endpoints: readonly EndpointConfig[];
  /** Null: the file lists them. */
  readonly discovery: DiscoveryConfig | null;
  readonly tls: ClusterTls;
  /** Null: no active probe; the cluster is up until traffic says otherwise. */
  readonly health: ProbeConfig | null;
  readonly outlier: OutlierConfig;
  readonly capacity: ClusterCapacity | null;
  readonly agent: ClusterAgent;
  readonly balance: string;
  readonly hash: HashConfig;
  readonly slowStart: SlowStartConfig;
  readonly limits: ClusterLimits;
  readonly connectTimeoutMs: number;
  /** Idle upstream connections are closed after this. */
  readonly keepAliveMs: number;
  /** Upstream connections per worker and endpoint. */
  readonly maxConnections: number;
  readonly http2: ClusterHttp2;
  readonly lastResort: boolean;
  readonly failback: FailbackConfig;
  readonly drain: DrainConfig;
  /** Connections to its endpoints begin by saying whose they are; null: they do not. */
  readonly proxyProtocol: ProxyVersion | null;
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
/** What becomes of requests above the capacity of all places: refused, or sent all the same. */
export type Overload = 'shed' | 'spread';

/** The highest first; under overload the last is refused first. */
export const PRIORITY_CLASSES = ['critical', 'high', 'normal', 'low'] as const;
export type PriorityClass = (typeof PRIORITY_CLASSES)[number];

export interface SteerConfig {
  readonly policy: SteerPolicy;
  /** 0 to 1: with less than this of its places healthy, health is not believed. */
  readonly panicThreshold: number;
  readonly overload: Overload;
}

export interface ServiceConfig {
  readonly name: string;
  /** In the file's order. */
  readonly versions: readonly VersionConfig[];
  /** Millionths per version; sums to MILLION; every version is named. */
  readonly split: Readonly<Record<string, number>>;
  readonly steer: SteerConfig;
  readonly onUnavailable: OnUnavailable;
  /** The first that holds decides, before the split is asked. */
  readonly assign: readonly AssignRule[];
  /** Null: nothing is copied. */
  readonly mirror: MirrorConfig | null;
  /** Null: requests go by the split, each for itself. */
  readonly sticky: StickyConfig | null;
  readonly rollout: RolloutConfig;
  readonly timeouts: ServiceTimeouts;
  readonly retries: RetryConfig;
  readonly circuit?: CircuitConfig;
}

export type PathMatch =
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string };

export interface RouteMatch {
  /** Lower case, without port; `*.example.com` matches one or more labels; empty: any host. Server names where TLS is passed through. */
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

/** What a route does with a path that can be read in more than one way. */
export interface PathPolicy {
  readonly escapedSlashes: 'keep' | 'reject' | 'redirect';
  readonly mergeSlashes: boolean;
  readonly parameters: 'keep' | 'reject' | 'strip';
}

export interface RouteConfig {
  readonly name: string;
  /** Names of listeners, all of one protocol; empty: all that speak http. */
  readonly listeners: readonly string[];
  readonly match: RouteMatch;
  readonly paths: PathPolicy;
  readonly service: string;
  readonly priorityClass: PriorityClass;
  /** Whether requests must come on a connection with a verified certificate of the client. */
  readonly clientCertificate: 'none' | 'required';
  /** 0 to 1: the part of its requests that may have a line in the access log; absent: all. */
  readonly logged?: number;
  readonly filters: readonly FilterConfig[];
}

export interface Config extends ProcessConfig, TelemetryConfig {
  readonly hostName: string;
  /** Where this host is, for `nearest`; null: nowhere in particular. */
  readonly hostRegion: string | null;
  /** Absolute. */
  readonly stateDir: string;
  /** Null: the host is alone. */
  readonly redis: RedisConfig | null;
  readonly listeners: readonly ListenerConfig[];
  readonly admin: AdminConfig;
  readonly agents: AgentListenerConfig | null;
  readonly metrics: { readonly bind: Bind } | null;
  readonly decisionLog: DecisionLogConfig;
  readonly regions: RegionDistances;
  readonly safety: SafetyConfig;
  /** Gates of rollouts that ask something else than weir itself. */
  readonly gates: Readonly<Record<string, AskedGateConfig>>;
  readonly drills: Readonly<Record<string, DrillConfig>>;
  /** Block of client addresses → region the clients are in, for `nearest`; the longest block counts. Empty: all are where this host is. */
  readonly clientRegions: Readonly<Record<string, string>>;
  /** Regions of clients that are in no block, by a database on the host; null: there is none. */
  readonly clientLocations: ClientLocations | null;
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
  readonly routes: readonly RouteConfig[];
  readonly consumers: Readonly<Record<string, ConsumerConfig>>;
  readonly credentials: CredentialsConfig;
  /** Whose tokens are believed. */
  readonly issuers: Readonly<Record<string, IssuerConfig>>;
  readonly limits: Readonly<Record<string, LimitConfig>>;
  /** SHA-256 of the fleet part, in hex; two hosts that serve the same have the same. */
  readonly hash: string;
}
