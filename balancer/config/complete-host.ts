// The host part of the file → the host part of the config.
import { bindsCollide, isLoopback, parseBind } from './addresses.ts';
import { isSuiteOfTls13 } from './cipher-suites.ts';
import { completeAccessLog } from './complete-access-log.ts';
import { completeEvents, completeHistory } from './complete-history.ts';
import { completeRedis } from './complete-redis.ts';
import { completeTracing } from './complete-tracing.ts';
import type { Completion } from './completion.ts';
import type { AgentListenerConfig } from './capacity-config.ts';
import type {
  AdminConfig,
  Bind,
  CertificateFiles,
  Config,
  ListenerConfig,
  ListenerHttp2,
  ListenerLimits,
  ListenerTls,
  TlsVersion,
} from './config.ts';
import type { SessionTicketsConfig } from './process-config.ts';
import { formatPath, type ValuePath } from './problems.ts';
import { durationMs, sizeBytes, sizeBytesOrZero } from './quantities.ts';
import type { ConfigFile } from './schema.ts';
import type { ListenerFile, ListenerTlsFile, ServerTlsFile } from './schema-host.ts';

export type HostConfig = Omit<
  Config,
  | 'regions'
  | 'clientRegions'
  | 'clientLocations'
  | 'clusters'
  | 'services'
  | 'routes'
  | 'safety'
  | 'gates'
  | 'drills'
  | 'consumers'
  | 'credentials'
  | 'issuers'
  | 'limits'
  | 'hash'
>;

/** Bytes. Below the default of HTTP/2 every body would crawl; above, one client could make a worker hold too much. */
const LEAST_WINDOW = 65_536;
const MOST_WINDOW = 16_777_216;
const MOST_CONNECTION_WINDOW = 268_435_456;

export function completeHost(file: ConfigFile, completion: Completion): HostConfig {
  const host: HostConfig = {
    hostName: file.host.name ?? completion.environment.hostName,
    hostRegion: file.host.region ?? null,
    stateDir: completion.absolutePath(file.state.dir),
    redis: completeRedis(file.state.redis, completion),
    workers: file.workers === 'auto' ? Math.max(1, completion.environment.cores) : file.workers,
    drainDeadlineMs: durationMs(file.drainDeadline),
    lameDuckMs: durationMs(file.lameDuck),
    overloadDelayMs: durationMs(file.overloadDelay),
    hangMs: completeHang(file.hangDeadline, completion),
    sessionTickets: completeTickets(file.sessionTickets, completion),
    listeners: completion.usable('listeners', file.listeners).map(([name, listener]) => completeListener(name, listener, completion)),
    admin: completeAdmin(file.admin, completion),
    agents: completeAgents(file.agents, completion),
    metrics: file.metrics === undefined ? null : { bind: bindOf(file.metrics.bind) },
    decisionLog: { maxBytes: sizeBytesOrZero(file.decisionLog.maxSize), maxAgeMs: durationMs(file.decisionLog.maxAge) },
    accessLog: completeAccessLog(file.accessLog, completion),
    tracing: completeTracing(file.tracing, completion),
    history: completeHistory(file.history, completion),
    events: completeEvents(file.events, completion),
  };
  reportCollisions(host, completion);
  return host;
}

function completeListener(name: string, file: ListenerFile, completion: Completion): ListenerConfig {
  if (file.protocol !== 'http' && file.tls !== undefined)
    completion.reportKey(
      ['listeners', name, 'tls'],
      file.protocol === 'readiness'
        ? 'a readiness listener answers in plain HTTP; remove tls'
        : `a ${file.protocol} listener hands bytes on as they are and ends no TLS; remove tls, or write protocol: http to end TLS here`,
    );
  return {
    name,
    bind: bindOf(file.bind),
    protocol: file.protocol,
    tls: file.tls === undefined ? null : completeListenerTls(file.tls, ['listeners', name, 'tls'], completion),
    proxyProtocol:
      file.proxyProtocol === undefined ? null : { from: [...new Set(file.proxyProtocol.from)], required: file.proxyProtocol.required },
    trustedPeers: [...new Set(file.trustedPeers)],
    timeouts: {
      requestHeadMs: durationMs(file.timeouts.requestHead),
      keepAliveMs: durationMs(file.timeouts.keepAlive),
      requestBodyMs: durationMs(file.timeouts.requestBody),
      handshakeMs: durationMs(file.timeouts.handshake),
      writeMs: durationMs(file.timeouts.write),
    },
    limits: completeLimits(file.limits),
    headers: { underscores: file.headers.underscores },
    http2: completeHttp2(file.http2, ['listeners', name, 'http2'], completion),
  };
}

function completeHttp2(file: ListenerFile['http2'], path: ValuePath, completion: Completion): ListenerHttp2 {
  const streamWindow = sizeBytes(file.streamWindow);
  const connectionWindow = sizeBytes(file.connectionWindow);
  if (!completion.isTouched(path)) {
    if (streamWindow < LEAST_WINDOW || streamWindow > MOST_WINDOW)
      completion.report([...path, 'streamWindow'], `"${file.streamWindow}" is out of range; expected 64KiB to 16MiB`);
    else if (connectionWindow < streamWindow || connectionWindow > MOST_CONNECTION_WINDOW)
      completion.report(
        [...path, 'connectionWindow'],
        `"${file.connectionWindow}" is out of range; expected at least streamWindow, "${file.streamWindow}", and at most 256MiB`,
      );
  }
  const { enabled, maxStreams, resetsPerSecond } = file;
  return { enabled, maxStreams, streamWindow, connectionWindow, resetsPerSecond };
}

function completeLimits(file: ListenerFile['limits']): ListenerLimits {
  return {
    headBytes: sizeBytes(file.headBytes),
    fields: file.fields,
    connections: file.connections,
    // No single address takes a whole listener.
    connectionsPerAddress: file.connectionsPerAddress ?? Math.ceil(file.connections / 2),
    requestsPerConnection: file.requestsPerConnection,
    bodyBytes: sizeBytesOrZero(file.bodyBytes),
    bodyRate: sizeBytesOrZero(file.bodyRate),
  };
}

function completeListenerTls(file: ListenerTlsFile, path: ValuePath, completion: Completion): ListenerTls {
  const { clientCertificates } = file;
  const tls = completeTls(file, path, completion);
  if (clientCertificates === undefined) return tls;
  const { mode, ca, crl, forward } = clientCertificates;
  const readable = (key: 'ca' | 'crl', file: string): string => completion.readableFile([...path, 'clientCertificates', key], file);
  return { ...tls, clientCertificates: { mode, ca: readable('ca', ca), crl: crl === undefined ? null : readable('crl', crl), forward } };
}

function completeTls(file: ServerTlsFile, path: ValuePath, completion: Completion): ListenerTls {
  const certificates = file.certificates.map((certificate, index) =>
    completeCertificate(certificate, [...path, 'certificates', index], completion),
  );
  const { minVersion, ciphers } = file;
  if (!completion.isTouched([...path, 'ciphers'])) reportSuites(ciphers, minVersion, [...path, 'ciphers'], completion);
  return { certificates, minVersion, ciphers: [...new Set(ciphers)], clientCertificates: null };
}

/** A version without a suite would be switched off without a word. */
function reportSuites(ciphers: readonly string[], minVersion: TlsVersion, path: ValuePath, completion: Completion): void {
  if (!ciphers.some(isSuiteOfTls13))
    completion.report(path, 'no cipher suite of TLS 1.3 is named; add at least one, such as TLS_AES_128_GCM_SHA256');
  if (minVersion === 'TLSv1.2' && ciphers.every(isSuiteOfTls13))
    completion.report(
      path,
      'no cipher suite of TLS 1.2 is named; add at least one, such as ECDHE-ECDSA-AES128-GCM-SHA256, or write minVersion: TLSv1.3',
    );
}

/** Of signs that come once a second two may be late. */
const LEAST_HANG_MS = 3000;

function completeHang(deadline: string | 0, completion: Completion): number {
  const hangMs = durationMs(deadline);
  if (hangMs > 0 && hangMs < LEAST_HANG_MS)
    completion.report(['hangDeadline'], `"${deadline}" is too short for signs that come once a second; expected 0, or at least 3s`);
  return hangMs;
}

/** RFC 8446 section 4.6.1: no ticket lives longer than 7 days. */
const MAX_TICKET_MS = 7 * 24 * 3_600_000;
const MIN_ROTATION_MS = 1000;

function completeTickets({ rotate }: ConfigFile['sessionTickets'], completion: Completion): SessionTicketsConfig {
  const rotateMs = durationMs(rotate);
  if (rotateMs < MIN_ROTATION_MS || rotateMs > MAX_TICKET_MS)
    completion.report(
      ['sessionTickets', 'rotate'],
      `"${rotate}" is not possible here; expected 1s to 168h, as no ticket lives longer than 7 days`,
    );
  return { rotateMs };
}

function completeCertificate(file: CertificateFiles, path: ValuePath, completion: Completion): CertificateFiles {
  return {
    cert: completion.readableFile([...path, 'cert'], file.cert),
    key: completion.readableFile([...path, 'key'], file.key),
  };
}

function completeAdmin(file: ConfigFile['admin'], completion: Completion): AdminConfig {
  if (file === undefined) return { bind: null, tls: null };
  const bind = bindOf(file.bind);
  if (!isLoopback(bind) && file.tls === undefined && !completion.isTouched(['admin']))
    completion.report(
      ['admin', 'bind'],
      `other machines reach "${file.bind}", so the admin API needs tls there; add tls: { cert: …, key: … } or bind 127.0.0.1`,
    );
  return { bind, tls: file.tls === undefined ? null : completeCertificate(file.tls, ['admin', 'tls'], completion) };
}

function completeAgents(file: ConfigFile['agents'], completion: Completion): AgentListenerConfig | null {
  if (file === undefined) return null;
  const bind = bindOf(file.bind);
  if (!isLoopback(bind) && file.tls === undefined && !file.allowPlain && !completion.isTouched(['agents']))
    completion.report(
      ['agents', 'bind'],
      `other machines reach "${file.bind}", so agents would send their tokens in plain text; add tls: { certificates: [ … ] }, or allowPlain: true`,
    );
  const tls = file.tls === undefined ? null : completeAgentTls(file.tls, completion);
  return { bind, tls, allowPlain: file.allowPlain };
}

/** What agents prove is for the hub alone: no cluster is told. */
function completeAgentTls(file: ServerTlsFile, completion: Completion): ListenerTls {
  const { clientCertificates: clients, ...rest } = file;
  const listener = clients === undefined ? rest : { ...rest, clientCertificates: { ...clients, forward: 'none' as const } };
  return completeListenerTls(listener, ['agents', 'tls'], completion);
}

function bindOf(text: string): Bind {
  const bind = parseBind(text);
  if (bind === null) throw new Error(`"${text}" passed the schema and cannot be read`);
  return bind;
}

function reportCollisions(host: HostConfig, completion: Completion): void {
  const binds: readonly { readonly path: ValuePath; readonly bind: Bind | null | undefined }[] = [
    ...host.listeners.map(({ name, bind }) => ({ path: ['listeners', name, 'bind'], bind })),
    { path: ['admin', 'bind'], bind: host.admin.bind },
    { path: ['agents', 'bind'], bind: host.agents?.bind },
    { path: ['metrics', 'bind'], bind: host.metrics?.bind },
  ];
  binds.forEach(({ path, bind }, index) => {
    const earlier = binds.slice(0, index).find((other) => bind && other.bind && bindsCollide(bind, other.bind));
    if (earlier !== undefined && bind)
      completion.report(
        path,
        `port ${bind.port} is already taken by ${formatPath(earlier.path)}; expected another port or another address`,
      );
  });
}
