// Requests with signatures of RFC 9421, as a program of a consumer would make them: from what it sends, and not from what is made of it here.
import { constants, createHmac, sign, type KeyObject } from 'node:crypto';
import type { Sent } from './signed-request.ts';

export interface MessageSigner {
  readonly keyId: string;
  readonly key: KeyObject | string;
  /** Default: method, authority, path, query, and the digest of a body. */
  readonly components?: readonly string[];
  /** Behind `created` and `keyid`, such as `;nonce="1"`. */
  readonly parameters?: string;
  readonly createdMs?: number;
  readonly label?: string;
}

/** With its signature; what it has of others stays. */
export function signedMessage(sent: Sent, signer: MessageSigner): Sent {
  const { keyId, key, parameters = '', createdMs = Date.now(), label = 'sig' } = signer;
  const digest = sent.headers['content-digest'] === undefined ? [] : ['content-digest'];
  const names = signer.components ?? ['@method', '@authority', '@path', '@query', ...digest];
  const list = `(${names.map((name) => `"${name}"`).join(' ')});created=${Math.floor(createdMs / 1000)};keyid="${keyId}"${parameters}`;
  const lines = names.map((name) => `"${name}": ${valueOf(sent, name)}\n`);
  const value = signatureOf(key, Buffer.from(`${lines.join('')}"@signature-params": ${list}`, 'latin1')).toString('base64');
  const { 'signature-input': input, signature, ...headers } = sent.headers;
  const joined = (before: string | undefined, own: string): string => (before === undefined ? own : `${before}, ${own}`);
  return {
    ...sent,
    headers: { ...headers, 'signature-input': joined(input, `${label}=${list}`), signature: joined(signature, `${label}=:${value}:`) },
  };
}

function valueOf({ method, target, headers }: Sent, name: string): string {
  const [path = '', query = ''] = target.split('?');
  const host = headers['host'] ?? '';
  const derived: Readonly<Record<string, string>> = {
    ...{ '@method': method, '@authority': host, '@path': path, '@query': `?${query}`, '@request-target': target },
    '@target-uri': `http://${host}${target}`,
  };
  return derived[name] ?? headers[name] ?? '';
}

function signatureOf(key: KeyObject | string, base: Buffer): Buffer {
  if (typeof key === 'string') return createHmac('sha256', key).update(base).digest();
  if (key.asymmetricKeyType === 'ed25519') return sign(null, base, key);
  if (key.asymmetricKeyType === 'ec') return sign('sha256', base, { key, dsaEncoding: 'ieee-p1363' });
  return sign('sha512', base, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 });
}
