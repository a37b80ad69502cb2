// What a token says before anybody has checked it: where to look for its keys, and nothing that is believed.
import type { KeyWish } from './key-set.ts';

export const MAX_TOKEN_LENGTH = 16_384;

/** What an unchecked token says of itself; a text: why it is none. Nothing of it is believed but where to look. */
export function readToken(token: string): { readonly issuer: string; readonly wish: KeyWish } | string {
  if (token.length > MAX_TOKEN_LENGTH) return `the token is longer than ${MAX_TOKEN_LENGTH} characters`;
  try {
    const [header = '', claims = ''] = token.split('.');
    const { alg, kid } = decodedSegment(header);
    const { iss } = decodedSegment(claims);
    if (typeof alg !== 'string' || typeof iss !== 'string') return 'the token names no algorithm or no issuer';
    return { issuer: iss, wish: { algorithm: alg, keyId: typeof kid === 'string' ? kid : '' } };
  } catch {
    return 'not a token';
  }
}

/** Throws when it is no object of JSON. */
export function decodedSegment(segment: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  return { ...Object(value) } as Readonly<Record<string, unknown>>;
}
