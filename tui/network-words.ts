// What the codes of the system, of TLS and of undici mean to somebody who did not write this.

export const CONNECT_TIMEOUT_MS = 3000;

const DISTRUSTED = 'its certificate is not trusted here: name its authority with `ca:` in the context file, or with NODE_EXTRA_CA_CERTS';
const BROKEN_OFF = 'the connection was closed before the answer was complete';

/** What the codes of the system, of TLS and of undici mean to somebody who did not write this; after these nothing can have arrived. */
export const NOT_SENT: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ENOTSOCK: 'that file is no socket',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'this user may not open the socket; only its owner and root may',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  UND_ERR_CONNECT_TIMEOUT: `no connection within ${CONNECT_TIMEOUT_MS / 1000} s`,
  DEPTH_ZERO_SELF_SIGNED_CERT: DISTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: DISTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: DISTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: DISTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** The same for failures that leave open whether the request was carried out. */
export const UNCERTAIN: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped half-way',
  UND_ERR_SOCKET: BROKEN_OFF,
  ECONNRESET: BROKEN_OFF,
};
