// What repeats: a token that was checked before, and an answer that is stored.
import { generateKeyPairSync, sign } from 'node:crypto';
import type { IssuerConfig } from '../../balancer/config/issuer-config.ts';
import { Issuers } from '../../balancer/filter/authenticate/issuers.ts';
import type { KeySet } from '../../balancer/filter/authenticate/key-set.ts';
import type { Filter, FilterEnvironment } from '../../balancer/filter/filter.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';
import type { MicroCase } from './harness.ts';

const DAY_S = 86_400;

export interface SignedToken {
  readonly issuers: Issuers;
  readonly token: string;
}

/** Of an issuer with one key on P-256, good for a day. */
export function signedToken(issuer: IssuerConfig, { clock, readSecret }: FilterEnvironment): SignedToken {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys: KeySet = { version: 1, keys: [{ ...publicKey.export({ format: 'jwk' }), kty: 'EC', kid: 'one', use: 'sig', alg: 'ES256' }] };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(clock.wallMs() / 1000);
  const claims = {
    iss: issuer.issuer,
    sub: 'acme',
    aud: 'shop',
    iat: nowS,
    exp: nowS + DAY_S,
    scope: 'orders:read orders:write',
    jti: 'b2a1',
  };
  const text = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const keySets = { get: () => keys, renew: () => Promise.resolve() };
  return { issuers: new Issuers([issuer], { keySets, clock, readSecret }, null), token: `${text}.${signature.toString('base64url')}` };
}

const FORM = { bodyLength: 0, upgrade: '' };
const FIELDS: readonly string[] = ['content-type', 'text/plain', 'server', 'origin', 'cache-control', 'max-age=86400'];

/** An answer of so many bytes, from memory; its bytes are sent as they lie there. */
export function hitting(filter: Filter, bytes: number, newRequest: () => CanonicalRequest): MicroCase {
  const asked = newRequest();
  void filter.recall?.(asked, FORM);
  const head = { status: 200, fields: [...FIELDS], bodyLength: bytes };
  filter.onResponse?.(asked, head);
  const body = filter.onResponseBody?.(asked, head) ?? null;
  body?.push(Buffer.alloc(bytes, 'a'));
  body?.end([]);
  filter.onEnd?.(asked, { status: 200, durationMs: 1 });
  return {
    name: `cache, a hit of ${bytes} bytes`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const request = newRequest();
        const kept = filter.recall?.(request, FORM) ?? null;
        if (kept === null || kept instanceof Promise || 'code' in kept) throw new Error('the answer of the bench is not stored');
        filter.onEnd?.(request, { status: 200, durationMs: 1 });
        total += kept.body.length + kept.fields.length;
      }
      return total;
    },
  };
}
