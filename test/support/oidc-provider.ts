// A provider of OpenID Connect that signs everybody in at once: its document, its keys, codes with PKCE, tokens, refreshes and the end of sessions.
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { startOrigin, type OriginOptions } from './origin.ts';
import { aKey, aToken, keySetText, type IssuedKey } from './token-issuer.ts';

export const CLIENT = 'shop web';
export const CLIENT_SECRET = 'p:a ss word';

interface Grant {
  readonly challenge: string;
  readonly nonce: string;
  readonly redirect: string;
}

/** What a test makes of it; read with each request. */
export interface Behaviour {
  /** Of the client. */
  secret: string;
  /** Who signs in. */
  subject: string;
  /** Over those of every ID token. */
  claims: Readonly<Record<string, unknown>>;
  /** In place of the ID token. */
  idToken: ((good: string, claims: Readonly<Record<string, unknown>>) => string | Promise<string>) | null;
  /** Over the answer of the token endpoint. */
  answer: Readonly<Record<string, unknown>>;
  /** Of access tokens. */
  expiresS: number;
  /** Whether a login gets a refresh token. */
  refreshes: boolean;
  /** The error that browsers are sent back with; empty: they sign in. */
  denies: string;
  /** In place of the answer of any endpoint that is asked by weir. */
  away: ((response: ServerResponse) => void) | null;
  /** What is said of the person besides; null: nothing. */
  info: Readonly<Record<string, unknown>> | null;
  /** Over the document. */
  document: Readonly<Record<string, unknown>>;
  /** In place of its own name in answers to browsers. */
  names: string | null;
}

export interface OidcProvider extends Behaviour {
  readonly issuer: string;
  readonly key: IssuedKey;
  /** Forms that the token endpoint got, with how the client proved itself. */
  readonly asked: readonly (Readonly<Record<string, string>> & { readonly proof: string })[];
  /** Where browsers came to. */
  readonly visits: readonly URL[];
  /** The last tokens it gave. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Nobody may use the refresh tokens that were given any more. */
  lockOut(): void;
  readonly documentsRead: number;
}

class Provider implements OidcProvider {
  issuer = '';
  readonly key = aKey('ES256');
  readonly asked: (Readonly<Record<string, string>> & { readonly proof: string })[] = [];
  readonly visits: URL[] = [];
  given: Record<string, unknown> = {};
  documentsRead = 0;
  secret = CLIENT_SECRET;
  subject = 'anna';
  claims: Behaviour['claims'] = {};
  idToken: Behaviour['idToken'] = null;
  answer: Behaviour['answer'] = {};
  expiresS = 300;
  refreshes = true;
  denies = '';
  away: Behaviour['away'] = null;
  info: Behaviour['info'] = null;
  document: Behaviour['document'] = {};
  names: string | null = null;
  readonly #codes = new Map<string, Grant>();
  readonly #refreshTokens = new Map<string, Pick<Grant, 'nonce'>>();

  lockOut(): void {
    this.#refreshTokens.clear();
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.issuer);
    if (url.pathname === '/authorize') return this.#authorize(url, response);
    if (url.pathname === '/bye') {
      this.visits.push(url);
      return void response.writeHead(302, { location: url.searchParams.get('post_logout_redirect_uri') ?? '/' }).end();
    }
    if (this.away !== null) return this.away(response);
    if (url.pathname === '/.well-known/openid-configuration') return void response.end(JSON.stringify(this.#document()));
    if (url.pathname === '/keys') return void response.end(keySetText(this.key));
    if (url.pathname === '/me') return this.#me(request, response);
    void text(request).then((body) => this.#token(request, new URLSearchParams(body), response));
  }

  #document(): object {
    this.documentsRead += 1;
    const { issuer } = this;
    return {
      ...{ issuer, authorization_endpoint: `${issuer}/authorize?realm=shop`, token_endpoint: `${issuer}/token` },
      ...{ end_session_endpoint: `${issuer}/bye`, jwks_uri: `${issuer}/keys`, authorization_response_iss_parameter_supported: true },
      ...(this.info === null ? {} : { userinfo_endpoint: `${issuer}/me` }),
      ...this.document,
    };
  }

  #me({ headers }: IncomingMessage, response: ServerResponse): void {
    const isGood = headers.authorization === `Bearer ${String(this.given['access_token'])}`;
    if (!isGood) return void response.writeHead(401).end();
    response.end(JSON.stringify({ sub: this.subject, ...this.info }));
  }

  #authorize(url: URL, response: ServerResponse): void {
    this.visits.push(url);
    const asked = url.searchParams;
    const redirect = asked.get('redirect_uri') ?? '';
    const right =
      ['response_type', 'client_id', 'code_challenge_method', 'realm'].map((name) => asked.get(name)).join() ===
        ['code', CLIENT, 'S256', 'shop'].join() && asked.get('scope')?.split(' ').includes('openid') === true;
    if (!right || !redirect.endsWith('/login/callback')) return void response.writeHead(400).end('no such client');
    const back = new URL(redirect);
    back.searchParams.set('state', asked.get('state') ?? '');
    back.searchParams.set('iss', this.names ?? this.issuer);
    if (this.denies === '') {
      const code = randomBytes(16).toString('hex');
      this.#codes.set(code, { challenge: asked.get('code_challenge') ?? '', nonce: asked.get('nonce') ?? '', redirect });
      back.searchParams.set('code', code);
    } else back.searchParams.set('error', this.denies);
    response.writeHead(302, { location: back.href }).end();
  }

  async #token(request: IncomingMessage, form: URLSearchParams, response: ServerResponse): Promise<void> {
    const proof = proofOf(request, form, this.secret);
    this.asked.push({ ...Object.fromEntries(form), proof });
    const grant = proof === '' ? null : this.#grantOf(form);
    if (grant === null) return void response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant' }));
    const access = `access-${randomBytes(16).toString('hex')}`;
    const refresh = `refresh-${randomBytes(16).toString('hex')}`;
    if (this.refreshes) this.#refreshTokens.set(refresh, { nonce: grant.nonce });
    const nowS = Math.floor(Date.now() / 1000);
    const accessHash = createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url');
    const own = { iss: this.issuer, sub: this.subject, aud: CLIENT, iat: nowS, exp: nowS + 300, nonce: grant.nonce, at_hash: accessHash };
    const claims: Record<string, unknown> = { ...own, ...this.claims };
    const good = await aToken(this.key, claims);
    const idToken = (await this.idToken?.(good, claims)) ?? good;
    this.given = {
      ...{ token_type: 'Bearer', access_token: access, expires_in: this.expiresS, id_token: idToken },
      ...(this.refreshes ? { refresh_token: refresh } : {}),
      ...this.answer,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.given));
  }

  /** Once; null: it is not good. */
  #grantOf(form: URLSearchParams): Pick<Grant, 'nonce'> | null {
    if (form.get('grant_type') === 'refresh_token') {
      const token = form.get('refresh_token') ?? '';
      const known = this.#refreshTokens.get(token) ?? null;
      this.#refreshTokens.delete(token);
      return known;
    }
    const code = form.get('code') ?? '';
    const known = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    return known?.challenge === challenge && known.redirect === form.get('redirect_uri') ? known : null;
  }
}

/** `basic`, `post` or `none`, as the client did it; empty: it is another client. */
function proofOf(request: IncomingMessage, form: URLSearchParams, secret: string): string {
  const { authorization } = request.headers;
  const encoded = `${encodeURIComponent(CLIENT).replace('%20', '+')}:${encodeURIComponent(secret).replaceAll('%20', '+')}`;
  if (authorization !== undefined) return authorization === `Basic ${Buffer.from(encoded).toString('base64')}` ? 'basic' : '';
  if (form.get('client_id') !== CLIENT) return '';
  if (!form.has('client_secret')) return 'none';
  return form.get('client_secret') === secret ? 'post' : '';
}

export async function startOidcProvider(t: TestContext, options: OriginOptions = {}): Promise<OidcProvider> {
  const provider = new Provider();
  const origin = await startOrigin(t, (request, response) => provider.serve(request, response), options);
  provider.issuer = origin.endpoint;
  return provider;
}
