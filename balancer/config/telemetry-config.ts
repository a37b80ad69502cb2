// What the host tells of what it does, as parts of the config: lines of requests, traces, history and events.

/** As in config.ts, which stands above what uses this. */
type SecretReference = { readonly file: string } | { readonly env: string };

/** What can stand in a line of the access log. */
export const LOG_NAMES = [
  'at',
  'requestId',
  'traceId',
  'listener',
  'client',
  'method',
  'host',
  'path',
  'status',
  'result',
  'bytesIn',
  'bytesOut',
  'durationMs',
  'route',
  'service',
  'version',
  'cluster',
  'endpoint',
  'attempts',
  'error',
  'detail',
  'consumer',
  'authenticatedBy',
  'alpn',
] as const;
export type LogName = (typeof LOG_NAMES)[number];

/** A piece of a line that is not JSON: text as it stands, a value, or a field of the request. */
export type FormatPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: LogName }
  | { readonly kind: 'field'; readonly name: string };

export type LogTarget =
  | { readonly kind: 'stdout' }
  /** Absolute. `maxBytes` 0: it is never rotated here. `keep`: older files beside it. */
  | { readonly kind: 'file'; readonly path: string; readonly maxBytes: number; readonly keep: number }
  | {
      readonly kind: 'syslog';
      readonly transport: 'udp' | 'tcp';
      readonly host: string;
      readonly port: number;
      /** Number of RFC 5424. */
      readonly facility: number;
      readonly tag: string;
    };

export interface AccessLogConfig {
  readonly target: LogTarget;
  /** Null: one JSON object a line. */
  readonly format: readonly FormatPart[] | null;
  /** 0 to 1, of requests that went well; others always have their line, unless `errors` is false. */
  readonly sample: number;
  readonly errors: boolean;
  /** Names in lower case of request fields that stand in the line. */
  readonly fields: readonly string[];
  readonly redact: {
    readonly client: 'full' | 'truncate' | 'omit';
    readonly consumer: 'full' | 'omit';
    /** Paths by element; null: any one, which is not told. */
    readonly paths: readonly (readonly (string | null)[])[];
  };
}

export interface TracingConfig {
  readonly url: string;
  readonly ca: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly authorization: SecretReference | null;
  readonly timeoutMs: number;
  /** 0 to 1, of requests that bring no trace that is gone on with. */
  readonly sample: number;
  /** Whose trace is gone on with. */
  readonly parent: 'trusted' | 'all' | 'none';
  readonly keep: {
    readonly errors: boolean;
    /** 0: none are kept for being slow. */
    readonly slowerThanMs: number;
    /** Of those that no sample chose, per worker. */
    readonly perSecond: number;
  };
  /** Attributes of the resource, beside those that weir sets. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface HistoryConfig {
  /** 0: none is kept. */
  readonly maxBytes: number;
  readonly maxSeries: number;
}

export interface WebhookConfig {
  readonly name: string;
  readonly url: string;
  readonly ca: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Keys of signatures, one a line; the first signs; null: nothing is signed. */
  readonly secret: SecretReference | null;
  /** Codes of events, whole or up to a dot; empty: all. */
  readonly events: readonly string[];
  readonly leastSeverity: 'info' | 'warning' | 'critical';
  readonly timeoutMs: number;
}

/** A part of the config. */
export interface TelemetryConfig {
  /** Null: there is none. */
  readonly accessLog: AccessLogConfig | null;
  readonly tracing: TracingConfig | null;
  readonly history: HistoryConfig;
  readonly events: EventsConfig;
}

export interface EventsConfig {
  readonly webhooks: readonly WebhookConfig[];
}
