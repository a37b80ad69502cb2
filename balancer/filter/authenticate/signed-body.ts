// A body that must be the one its sender has signed: the digests of it that a request tells (RFC 9530, and RFC 3230 before it), checked while it streams.
import { createHash, hash, timingSafeEqual, type Hash } from 'node:crypto';
import { WeirError } from '../../errors.ts';
import type { BodyTransform, LastBytes } from '../filter.ts';
import type { Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import { partText } from './signed-parts.ts';

export interface Digest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly value: Buffer;
}

const ALGORITHMS: ReadonlyMap<string, Digest['algorithm']> = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
]);
const LENGTHS: Readonly<Record<Digest['algorithm'], number>> = { sha256: 32, sha512: 64 };
/** `sha-256=:…:` of a dictionary of structured fields, and `SHA-256=…` before that. */
const MEMBERS = {
  'content-digest': /^([a-z0-9-]+)=:([A-Za-z0-9+/]+={0,2}):$/,
  digest: /^([A-Za-z0-9-]+)=([A-Za-z0-9+/]+={0,2})$/,
} as const;

/**
 * What the body must be, by the digests that are signed; none where there is no body. A text: they do not tell it, or not of this body.
 * `parts`: names of what is signed, in lower case.
 */
export function signedDigests(request: CanonicalRequest, parts: readonly string[]): readonly Digest[] | string {
  const digests: Digest[] = [];
  for (const name of ['content-digest', 'digest'] as const) {
    if (!parts.includes(name)) continue;
    const found = digestsOf(name, partText(request, name) ?? '');
    if (found === null) return `${name} has no SHA-256 and no SHA-512`;
    digests.push(...found);
  }
  if (request.bodyLength === 0) return areOfNothing(digests) ? [] : 'a body is signed and none came';
  return digests.length === 0 ? 'neither content-digest nor digest is signed, and there is a body' : digests;
}

/** All that are known of a value; those of other algorithms are left out. Null: it is malformed, or none is known. */
function digestsOf(name: 'content-digest' | 'digest', value: string): readonly Digest[] | null {
  const found: Digest[] = [];
  for (const member of value.split(',')) {
    const { 1: named = '', 2: text = '' } = MEMBERS[name].exec(member.trim()) ?? [];
    if (named === '') return null;
    const algorithm = ALGORITHMS.get(named.toLowerCase());
    if (algorithm === undefined) continue;
    const digest = Buffer.from(text, 'base64');
    if (digest.length !== LENGTHS[algorithm]) return null;
    found.push({ algorithm, value: digest });
  }
  return found.length === 0 ? null : found;
}

/** Of a request without a body. */
function areOfNothing(digests: readonly Digest[]): boolean {
  return digests.every(({ algorithm, value }) => timingSafeEqual(hash(algorithm, '', 'buffer'), value));
}

const NOTHING = Buffer.alloc(0);

/** Passes the body on as it comes, and its end only when all digests are right. */
export class SignedBody implements BodyTransform {
  readonly #running: readonly { readonly hash: Hash; readonly value: Buffer }[];

  constructor(digests: readonly Digest[]) {
    this.#running = digests.map(({ algorithm, value }) => ({ hash: createHash(algorithm), value }));
  }

  push(chunk: Buffer): Buffer {
    for (const { hash } of this.#running) hash.update(chunk);
    return chunk;
  }

  end(trailers: Fields): LastBytes {
    if (!this.#running.every(({ hash, value }) => timingSafeEqual(hash.digest(), value)))
      throw new WeirError('body_digest_wrong', 'the body is not the one that was signed');
    return { bytes: NOTHING, trailers };
  }
}
