// The certificate of a client after the handshake: let in, refused, or not there.
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ClientCertificates } from '../config/config.ts';
import { alternativeNames, byteSequence, type ClientCertificate } from '../message/client-certificate.ts';
import type { Fields } from '../message/fields.ts';

/** More than any chain that is meant to be used. */
const MAX_CHAIN = 10;

/** Null: the client has none and needs none. `refused`: it needs one, or the one it has cannot be trusted. */
export function clientIdentity(socket: TLSSocket, rules: ClientCertificates, wallMs: number): ClientCertificate | null | 'refused' {
  const certificate = socket.getPeerX509Certificate();
  // A resumed session without any certificate counts as verified too, so that the certificate itself has to be there.
  if (certificate === undefined) return rules.mode === 'required' ? 'refused' : null;
  // A resumed session was verified when it began.
  if (!socket.authorized || Date.parse(certificate.validTo) < wallMs) return 'refused';
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    alternativeNames: alternativeNames(certificate.subjectAltName ?? ''),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    told: toldOf(certificate, rules.forward),
  };
}

function toldOf(certificate: X509Certificate, forward: ClientCertificates['forward']): Fields {
  if (forward === 'none') return [];
  const own = ['client-cert', byteSequence(certificate.raw)];
  if (forward === 'certificate') return own;
  const chain: string[] = [];
  for (let issuer = certificate.issuerCertificate; issuer !== undefined && chain.length < MAX_CHAIN; issuer = issuer.issuerCertificate)
    chain.push(byteSequence(issuer.raw));
  return chain.length === 0 ? own : [...own, 'client-cert-chain', chain.join(', ')];
}
