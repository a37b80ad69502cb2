// Who connects: the holder of a token, of a certificate, or of both; and whether that may report for a cluster, now and as long as it is connected.
import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { AGENT_PROTOCOLS, type AgentProtocol } from '../../../agent/protocol.ts';
import { SUBPROTOCOLS } from '../../../agent/dialogue.ts';

/** Why a connection is refused, with what the agent is told. */
export const REFUSALS = {
  no_token: { status: 401, message: 'expected the field authorization: Bearer TOKEN with the token of an agent, or a certificate' },
  wrong_token: { status: 401, message: 'the token is not known, or it is valid no more' },
  wrong_certificate: { status: 401, message: 'the certificate is of no authority that is trusted here, or it is valid no more' },
  wrong_cluster: { status: 403, message: 'the token or the certificate is for another cluster' },
  unknown_cluster: { status: 404, message: 'the config names no such cluster' },
  no_protocol: {
    status: 426,
    message: `none of the protocols that were offered is spoken here, expected one of ${Object.values(SUBPROTOCOLS).join(', ')}`,
  },
} as const;
export type Refusal = keyof typeof REFUSALS;

export interface IdentityParts {
  /** What a secret may report for: a cluster, or any (`cluster: null`); null: nothing. */
  readonly verifyToken: (secret: string) => { readonly cluster: string | null } | null;
  /** Names of certificates that may report for a cluster. */
  readonly certificateNames: (cluster: string) => readonly string[];
  /** The clusters of the config that is served now. */
  readonly clusters: () => ReadonlySet<string>;
  readonly wallMs: () => number;
}

export interface Identity {
  readonly cluster: string;
  /** Empty: it has none. */
  readonly secret: string;
  /** Null: it has none. */
  readonly certificate: ShownCertificate | null;
}

export interface ShownCertificate {
  /** By an authority that is trusted here, and not revoked, when the connection was made. */
  readonly isTrusted: boolean;
  readonly names: readonly string[];
  readonly validUntilMs: number;
}

export function identityOf(request: FastifyRequest, cluster: string): Identity {
  return { cluster, secret: bearerOf(request), certificate: certificateOf(request) };
}

/** Why it may not report for its cluster; null: it may. Whatever is shown must be good, so that a good token lends nothing to a bad certificate. */
export function refusalOf({ cluster, secret, certificate }: Identity, parts: IdentityParts): Refusal | null {
  if (secret === '' && certificate === null) return 'no_token';
  if (certificate !== null) {
    if (!certificate.isTrusted || parts.wallMs() >= certificate.validUntilMs) return 'wrong_certificate';
    if (!parts.certificateNames(cluster).some((name) => certificate.names.includes(name))) return 'wrong_cluster';
  }
  if (secret !== '') {
    const granted = parts.verifyToken(secret);
    if (granted === null) return 'wrong_token';
    if (granted.cluster !== null && granted.cluster !== cluster) return 'wrong_cluster';
  }
  return parts.clusters().has(cluster) ? null : 'unknown_cluster';
}

/** The newest protocol that both ends speak; one that offers none is older than the choice. Null: there is none in common. */
export function protocolOf(offered: string | undefined): AgentProtocol | null {
  if (offered === undefined) return AGENT_PROTOCOLS[0];
  const names = offered.split(',').map((name) => name.trim());
  return AGENT_PROTOCOLS.findLast((protocol) => names.includes(SUBPROTOCOLS[protocol])) ?? null;
}

/** The secret of `authorization: Bearer SECRET`; empty when there is none. What is there and none is not good. */
function bearerOf(request: FastifyRequest): string {
  return /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}

function certificateOf({ socket }: FastifyRequest): ShownCertificate | null {
  if (!(socket instanceof TLSSocket)) return null;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  return { isTrusted: socket.authorized, names: namesOf(certificate), validUntilMs: Date.parse(certificate.validTo) };
}

/** DNS names and URIs of the certificate. A name with a character that is quoted could pass for several others, so then there is none. */
function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  if (subjectAltName.includes('"')) return [];
  return subjectAltName.split(', ').flatMap((name) => /^(?:DNS|URI):(.+)$/.exec(name)?.[1] ?? []);
}
