// What a provider says at the back channel: logout tokens, right ones and such as differ in one thing, and the request that brings one.
import { randomUUID } from 'node:crypto';
import { Browser, type Page } from './browser.ts';
import { CLIENT, type OidcProvider } from './oidc-provider.ts';
import { aToken, type IssuedKey } from './token-issuer.ts';

export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** Of what a test differs in; undefined: it is left out. */
export interface LogoutFacts {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: IssuedKey;
}

/** Of nobody and nothing yet. */
export function aLogoutToken(provider: OidcProvider, { claims = {}, header = {}, key = provider.key }: LogoutFacts = {}): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  const own: Record<string, unknown> = {
    ...{ iss: provider.issuer, aud: CLIENT, iat: nowS, exp: nowS + 120, jti: randomUUID(), sub: undefined },
    events: { [LOGOUT_EVENT]: {} },
    ...claims,
  };
  return aToken(key, own, { typ: 'logout+jwt', ...header });
}

/** The request of a provider, which is no browser. */
export function tellLogout(url: string, token: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
  const body = `logout_token=${token}`;
  return new Browser().ask(url, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body });
}
