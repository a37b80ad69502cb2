// How a connection to an endpoint is secured: verified by default, with the cluster's own authority and name where it has them.
import { isIP } from 'node:net';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import type { ClusterConfig, EndpointConfig } from '../config/config.ts';

/** Reads a file the config names; throws when it cannot be read. */
export type ReadFile = (path: string) => Buffer;

/** Null for plain endpoints. */
export function upstreamTls(cluster: ClusterConfig, endpoint: EndpointConfig, readFile: ReadFile): ConnectionOptions | null {
  if (endpoint.scheme !== 'https') return null;
  const { ca, serverName, verify } = cluster.tls;
  const name = serverName ?? (isIP(endpoint.host) === 0 ? endpoint.host : null);
  return {
    secureContext: createSecureContext(ca === null ? {} : { ca: readFile(ca) }),
    rejectUnauthorized: verify,
    ALPNProtocols: ['http/1.1'],
    ...(name === null ? {} : { servername: name }),
  };
}
