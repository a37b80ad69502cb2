// What is asked of an endpoint, and of a version behind the endpoints of a cluster, as the config describes it.
import type { Clock } from '../../../health/clock.ts';
import type { ProbeAddress } from '../../../health/connect.ts';
import { attempt } from '../../../health/probe.ts';
import { createProbe } from '../../../health/probes.ts';
import type { ClusterConfig, EndpointConfig, ProbeConfig, ProbeKind, VersionConfig } from '../../config/config.ts';
import { proxyHeader } from '../../message/proxy-protocol.ts';
import { type ReadFile, upstreamTls } from '../../upstream/upstream-tls.ts';
import type { Check } from './watch.ts';

export interface CheckEnvironment {
  readonly clock: Clock;
  readonly readFile: ReadFile;
  readonly count: (cluster: string, outcome: 'success' | 'failure') => void;
  readonly isUp: (cluster: string, endpoint: string) => boolean;
}

/** Asks an endpoint of a cluster; null when the cluster has no probe. */
export function endpointCheck(cluster: ClusterConfig, endpoint: EndpointConfig, environment: CheckEnvironment): Check | null {
  const { health, name } = cluster;
  if (health === null) return null;
  const probe = createProbe(health.probe);
  const address = addressOf(cluster, endpoint, environment);
  if (address instanceof Error) return () => Promise.resolve({ ok: false, reason: address.message });
  return async (signal) => {
    const outcome = await attempt(probe, address, { timeoutMs: health.timeoutMs, clock: environment.clock, signal });
    if (!signal.aborted) environment.count(name, outcome.ok ? 'success' : 'failure');
    return outcome;
  };
}

/**
 * Asks a version through the endpoints of a cluster that are up, in turn; null when the version has no probe.
 * What does not reach an endpoint is trouble of the way there and says nothing about the version.
 */
export function versionCheck(
  cluster: ClusterConfig,
  version: VersionConfig,
  host: string | null,
  environment: CheckEnvironment,
): Check | null {
  const { health } = version;
  if (health === null) return null;
  const probe = createProbe(withHost(health, host));
  const addresses = cluster.endpoints.flatMap((endpoint) => {
    const address = addressOf(cluster, endpoint, environment);
    return address instanceof Error ? [] : [{ id: endpoint.id, address }];
  });
  let turn = 0;
  return async (signal) => {
    const usable = addresses.filter(({ id }) => environment.isUp(cluster.name, id));
    const chosen = usable[turn++ % Math.max(1, usable.length)];
    if (chosen === undefined) return null;
    const outcome = await attempt(probe, chosen.address, { timeoutMs: health.timeoutMs, clock: environment.clock, signal });
    if (!signal.aborted) environment.count(cluster.name, outcome.ok ? 'success' : 'failure');
    return outcome.reached ? outcome : null;
  };
}

/** The host field that the probe names itself, else the one that requests to this placement carry. */
function withHost({ probe }: ProbeConfig, host: string | null): ProbeKind {
  return probe.kind === 'http' ? { ...probe, host: probe.host ?? host } : probe;
}

function addressOf(cluster: ClusterConfig, endpoint: EndpointConfig, { readFile, clock }: CheckEnvironment): ProbeAddress | Error {
  // The workers use the same files, and warn of them.
  const sources = { readFile, nowMs: () => clock.nowMs(), warn: () => undefined };
  try {
    const preface = cluster.proxyProtocol === null ? null : proxyHeader(cluster.proxyProtocol, null);
    const { host, port, scheme } = endpoint;
    return { host, port, tls: upstreamTls(cluster, endpoint, sources), h2c: scheme === 'h2c', preface };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
