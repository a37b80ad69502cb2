// The host part of the file → the host part of the config.
import { bindsCollide, isLoopback, parseBind } from './addresses.ts';
import type { Completion } from './completion.ts';
import type {
  AdminConfig,
  AgentListenerConfig,
  Bind,
  CertificateFiles,
  Config,
  ListenerConfig,
  ListenerHttp2,
  ListenerTls,
} from './config.ts';
import { formatPath, type ValuePath } from './problems.ts';
import { durationMs, sizeBytes } from './quantities.ts';
import type { ConfigFile } from './schema.ts';
import type { ListenerFile, ListenerTlsFile } from './schema-host.ts';

export type HostConfig = Omit<Config, 'clusters' | 'services' | 'routes' | 'hash'>;

/** Bytes. Below the default of HTTP/2 every body would crawl; above, one client could make a worker hold too much. */
const LEAST_WINDOW = 65_536;
const MOST_WINDOW = 16_777_216;
const MOST_CONNECTION_WINDOW = 268_435_456;

export function completeHost(file: ConfigFile, completion: Completion): HostConfig {
  const host: HostConfig = {
    hostName: file.host.name ?? completion.environment.hostName,
    stateDir: completion.absolutePath(file.state.dir),
    workers: file.workers === 'auto' ? Math.max(1, completion.environment.cores) : file.workers,
    drainDeadlineMs: durationMs(file.drainDeadline),
    listeners: completion.usable('listeners', file.listeners).map(([name, listener]) => completeListener(name, listener, completion)),
    admin: completeAdmin(file.admin, completion),
    agents: completeAgents(file.agents, completion),
    metrics: file.metrics === undefined ? null : { bind: bindOf(file.metrics.bind) },
    accessLog: file.accessLog === undefined ? null : { target: logTarget(file.accessLog, completion) },
  };
  reportCollisions(host, completion);
  return host;
}

function completeListener(name: string, file: ListenerFile, completion: Completion): ListenerConfig {
  return {
    name,
    bind: bindOf(file.bind),
    tls: file.tls === undefined ? null : completeTls(file.tls, ['listeners', name, 'tls'], completion),
    trustedPeers: [...new Set(file.trustedPeers)],
    timeouts: {
      requestHeadMs: durationMs(file.timeouts.requestHead),
      keepAliveMs: durationMs(file.timeouts.keepAlive),
      requestBodyMs: durationMs(file.timeouts.requestBody),
      handshakeMs: durationMs(file.timeouts.handshake),
      writeMs: durationMs(file.timeouts.write),
    },
    limits: { headBytes: sizeBytes(file.limits.headBytes), fields: file.limits.fields, connections: file.limits.connections },
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

function completeTls(file: ListenerTlsFile, path: ValuePath, completion: Completion): ListenerTls {
  const certificates = file.certificates.map((certificate, index) =>
    completeCertificate(certificate, [...path, 'certificates', index], completion),
  );
  return { certificates, minVersion: file.minVersion };
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
  const tls = file.tls === undefined ? null : completeTls(file.tls, ['agents', 'tls'], completion);
  return { bind, tls, allowPlain: file.allowPlain };
}

function logTarget(target: string, completion: Completion): string {
  return target === 'stdout' ? target : completion.absolutePath(target);
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
