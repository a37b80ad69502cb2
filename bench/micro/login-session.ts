// A session of the filter login as browsers bring it: a sealed cookie of an ID token with the claims that providers usually put in.
import type { FilterEnvironment } from '../../balancer/filter/filter.ts';
import { Seal } from '../../balancer/filter/login/seal.ts';
import { beginSession, packSession } from '../../balancer/filter/login/session.ts';

const CLAIMS = {
  ...{ iss: 'https://login.example', sub: '248289761001', aud: 'shop-web', iat: 1_790_000_000, exp: 1_790_000_300, nonce: 'n-0S6_WzA2Mj' },
  ...{ sid: '08a5019c-17e1-4977-8f42-65a12843ea02', name: 'Anna Example', email: 'anna@shop.example', groups: ['partners', 'clerks'] },
};

/** The cookie, as a worker with this environment takes it for `client` of `issuer`. */
export async function sessionCookie(client: string, issuer: string, { readSecret, clock }: FilterEnvironment): Promise<string> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const idToken = `${part({ alg: 'RS256', kid: 'one' })}.${part(CLAIMS)}.${'s'.repeat(342)}`;
  const tokens = { idToken, accessToken: '', refreshToken: 'r'.repeat(64), expiresS: 86_400, scopes: ['openid', 'profile'] };
  const keeping = { accessToken: false, refreshToken: true, scopes: ['openid'] };
  const session = beginSession(tokens, { claims: CLAIMS, told: {} }, keeping, clock.wallMs());
  const seal = new Seal(() => readSecret({ env: 'SESSION_KEYS' }), JSON.stringify(['session', issuer, client]));
  return `weir_session=1.${(await seal.seal(packSession(session))) ?? ''}`;
}
