// A route that people sign in for: a real worker between a browser, a provider and a service that answers with what it saw.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Browser, type Page } from './browser.ts';
import { CLIENT, CLIENT_SECRET, startOidcProvider, type OidcProvider } from './oidc-provider.ts';
import { startOrigin, type Origin } from './origin.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { keySetText } from './token-issuer.ts';

type Part = Readonly<Record<string, unknown>>;

export interface LoginRouteOptions {
  /** Over the options of the filter. */
  readonly login?: Part;
  /** Over `session` of them. */
  readonly session?: Part;
  /** Other filters of the route. */
  readonly filters?: readonly Part[];
  readonly issuer?: Part;
  readonly consumers?: Part;
  /** Besides its filters. */
  readonly route?: Part;
  readonly listener?: Part;
  readonly moreRoutes?: readonly Part[];
  /** Of another route that belongs together with this one. */
  readonly keys?: string;
}

export interface LoginRoute {
  readonly provider: OidcProvider;
  readonly proxy: Proxy;
  readonly service: Origin;
  readonly browser: Browser;
  /** Of a path. */
  readonly url: (path?: string) => string;
  /** File with the keys of sessions. */
  readonly keys: string;
}

/** Lines of a file of keys. */
export const aSealKey = (): string => randomBytes(32).toString('base64');

export async function startLoginRoute(t: TestContext, options: LoginRouteOptions = {}, known?: OidcProvider): Promise<LoginRoute> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-login-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const provider = known ?? (await startOidcProvider(t));
  const service = await startOrigin(t, (request, response) => response.end(JSON.stringify({ url: request.url, ...request.headers })));
  const keys = options.keys ?? file('session.keys', `${aSealKey()}\n`);
  const login = {
    ...{ issuer: 'staff', client: CLIENT, secret: { file: file('secret', CLIENT_SECRET) } },
    session: { keys: { file: keys }, ...options.session },
    ...options.login,
  };
  const issuers = { staff: { issuer: provider.issuer, keys: { file: file('keys.json', keySetText(provider.key)) }, ...options.issuer } };
  const consumers = options.consumers ?? { acme: { groups: ['partners'], scopes: ['base'], subjects: ['anna'] } };
  const proxy = await startProxy(t, {
    endpoints: [service.endpoint],
    parts: { consumers, issuers },
    route: { ...options.route, filters: [...(options.filters ?? []), { login }] },
    ...(options.listener === undefined ? {} : { listener: options.listener }),
    ...(options.moreRoutes === undefined ? {} : { moreRoutes: options.moreRoutes }),
  });
  const base = options.listener === undefined ? proxy.url : proxy.url.replace('http:', 'https:');
  return { provider, proxy, service, browser: new Browser(), keys, url: (path = '/') => base + path };
}

/** What the service saw of the request that a page is the answer to. */
export const seenBy = ({ body }: Pick<Page, 'body'>): Readonly<Record<string, string>> => JSON.parse(body) as Record<string, string>;

/** The code of the error that a page is. */
export const codeOf = ({ body }: Page): string => /"code":"([a-z_]+)"|^code: ([a-z_]+)$/m.exec(body)?.slice(1).find(Boolean) ?? '';
