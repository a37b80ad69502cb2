// An API server as far as objects of one kind need one: each by its path, with a version that writes have to know, over real HTTP. What the
// client really speaks with is tried against a real API server elsewhere; here it can be made to hang, to refuse, and to lose answers.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memberOf, type KubernetesMethod, type KubernetesRequest } from '../../agent/kubernetes/request.ts';

export interface ObjectCall {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export class ObjectServer implements AsyncDisposable {
  /** By path, as they would be got. */
  readonly objects = new Map<string, Record<string, unknown>>();
  readonly calls: ObjectCall[] = [];
  /** `hang`: takes questions and answers none. A number: answers all with it. `lose`: does what it is asked and answers nothing. */
  trouble: 'none' | 'hang' | 'lose' | number = 'none';
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #version = 100;
  #port = 0;

  static async start(): Promise<ObjectServer> {
    const server = new ObjectServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    server.#port = (server.#server.address() as AddressInfo).port;
    return server;
  }

  /** Questions to this server, as the agent asks them. */
  get request(): KubernetesRequest {
    return async (method: KubernetesMethod, path, body, signal) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const sent = body === null ? {} : { body: JSON.stringify(body), headers: { 'content-type': type } };
      const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, { method, signal, ...sent });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
    };
  }

  /** Puts an object there, or another in its place; it gets a version. */
  put(path: string, object: Readonly<Record<string, unknown>>): void {
    this.#version += 1;
    const metadata = { ...(object['metadata'] as object | undefined), resourceVersion: String(this.#version) };
    this.objects.set(path, { ...object, metadata });
  }

  /** A member of an object that is there. */
  member(path: string, ...names: readonly string[]): unknown {
    return memberOf(this.objects.get(path), ...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const [method = '', path = ''] = [request.method, request.url];
    if (this.trouble === 'hang') return;
    const { status, body } = typeof this.trouble === 'number' ? problem(this.trouble) : this.#act(method, path, text);
    this.calls.push({ method, path, status });
    if (this.trouble === 'lose') response.destroy();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  #act(method: string, path: string, text: string): { readonly status: number; readonly body: unknown } {
    const sent = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    const known = this.objects.get(path);
    if (method === 'POST') {
      const own = `${path}/${String(memberOf(sent, 'metadata', 'name'))}`;
      if (this.objects.has(own)) return problem(409);
      this.put(own, sent);
      return { status: 201, body: this.objects.get(own) };
    }
    if (known === undefined) return problem(404);
    if (method === 'GET') return { status: 200, body: known };
    const version = memberOf(sent, 'metadata', 'resourceVersion');
    if (version !== undefined && version !== memberOf(known, 'metadata', 'resourceVersion')) return problem(409);
    this.put(path, method === 'PATCH' ? (mergePatch(known, sent) as Record<string, unknown>) : sent);
    return { status: 200, body: this.objects.get(path) };
  }
}

function problem(status: number): { readonly status: number; readonly body: unknown } {
  return { status, body: { kind: 'Status', status: 'Failure', message: `as the test wants it (${status})`, code: status } };
}

/** RFC 7386 section 2. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const merged: Record<string, unknown> = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, name);
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}
