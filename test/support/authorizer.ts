// An external authorizer on a real port, which says what a test wants about each question, and a worker that asks it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { startOrigin } from './origin.ts';
import { startProxy, type Proxy } from './proxy.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  body: string;
}

export type Saying = (response: ServerResponse, asked: Asked) => void;

export interface Authorizer {
  readonly url: string;
  readonly asked: Asked[];
  /** Sockets it was asked over. */
  readonly connections: Set<unknown>;
  /** By default it lets everything on. */
  says: Saying;
}

export async function startAuthorizer(t: TestContext, tls?: TlsOptions): Promise<Authorizer> {
  const says: Saying = (response) => response.end();
  const authorizer = { url: '', asked: [] as Asked[], connections: new Set<unknown>(), says };
  const origin = await startOrigin(
    t,
    (request, response) => {
      const { method = '', url = '', headers } = request;
      const asked = { method, url, headers, body: '' };
      authorizer.connections.add(request.socket);
      void text(request).then((body) => {
        asked.body = body;
        authorizer.asked.push(asked);
        authorizer.says(response, asked);
      });
    },
    tls === undefined ? {} : { tls },
  );
  authorizer.url = `${origin.endpoint}/check?app=shop`;
  return authorizer;
}

/** The origin behind it answers with the method and the fields that it got, as JSON. */
export async function asksFirst(t: TestContext, externalAuthorizer: object, route: object = {}): Promise<Proxy> {
  const origin = await startOrigin(t, (request, response) => response.end(JSON.stringify({ method: request.method, ...request.headers })));
  return startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ externalAuthorizer }], ...route } });
}

export interface Heard {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** The body, if it is an object. */
  readonly said: Readonly<Record<string, string>>;
}

export async function hear(url: string, init: RequestInit = {}): Promise<Heard> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const body = await response.text();
  const said = body.startsWith('{') ? (JSON.parse(body) as Record<string, string>) : {};
  return { status: response.status, headers: response.headers, body, said };
}
