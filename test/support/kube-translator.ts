// Between an agent and an API server of 1.20: the agent asks for `discovery.k8s.io/v1` and `autoscaling/v2`, the server has the betas of both. Names of
// groups and versions are exchanged both ways, and the few fields that changed. It also counts, so that a test sees what was asked.
import { createServer, request, type Server } from 'node:https';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestCertificate } from './certificates.ts';

export interface Translator {
  readonly url: string;
  /** `list nodes`, `watch pods`, … as they came. */
  readonly asked: string[];
  close(): Promise<void>;
}

const RENAMED: readonly (readonly [newer: string, older: string])[] = [
  ['discovery.k8s.io/v1', 'discovery.k8s.io/v1beta1'],
  ['autoscaling/v2', 'autoscaling/v2beta2'],
  ['policy/v1', 'policy/v1beta1'],
];

interface TranslatorOptions {
  readonly target: number;
  readonly authority: TestCertificate;
  readonly serving: TestCertificate;
}

export async function startTranslator({ target, authority, serving }: TranslatorOptions): Promise<Translator> {
  const asked: string[] = [];
  const options = { cert: readFileSync(serving.cert), key: readFileSync(serving.key) };
  const server: Server = createServer(options, (incoming, answer) => void pass(incoming, answer).catch(() => answer.destroy()));
  const pass = async (incoming: IncomingMessage, answer: ServerResponse): Promise<void> => {
    asked.push(nameOf(incoming));
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = older(Buffer.concat(chunks).toString());
    const headers = without(incoming.headers, 'host', 'content-length');
    const onward = request({
      ...{ host: '127.0.0.1', port: target, ca: authority.pem, method: incoming.method ?? 'GET', agent: false },
      path: path(incoming.url ?? '/'),
      headers: { ...headers, 'accept-encoding': 'identity', ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }) },
    });
    // A client that leaves takes its watch with it; a server that dies ends what it was answering without an end.
    answer.on('close', () => onward.destroy());
    onward.on('error', () => answer.destroy());
    onward.on('response', (reply) => {
      answer.writeHead(reply.statusCode ?? 502, without(reply.headers, 'content-length'));
      answer.flushHeaders();
      void stream(reply, answer);
    });
    onward.end(body);
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Line by line, as names must not be cut in two. */
async function stream(reply: IncomingMessage, answer: ServerResponse): Promise<void> {
  let rest = '';
  try {
    reply.setEncoding('utf8');
    for await (const chunk of reply) {
      rest += String(chunk);
      const end = rest.lastIndexOf('\n');
      if (end < 0) continue;
      answer.write(newer(rest.slice(0, end + 1)));
      rest = rest.slice(end + 1);
    }
    answer.end(newer(rest));
  } catch {
    answer.destroy();
  }
}

function without<T extends object>(headers: T, ...names: readonly string[]): Partial<T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))) as Partial<T>;
}

function path(url: string): string {
  let translated = url;
  for (const [newest, oldest] of RENAMED) translated = translated.replace(`/apis/${newest}/`, `/apis/${oldest}/`);
  return translated;
}

function older(text: string): string {
  let translated = text;
  for (const [newest, oldest] of RENAMED) translated = translated.replaceAll(`"apiVersion":"${newest}"`, `"apiVersion":"${oldest}"`);
  return translated;
}

function newer(text: string): string {
  let translated = text;
  for (const [newest, oldest] of RENAMED) translated = translated.replaceAll(`"apiVersion":"${oldest}"`, `"apiVersion":"${newest}"`);
  return translated.replaceAll(/"topology":\{"kubernetes\.io\/hostname":("[^"]*")\}/g, '"nodeName":$1');
}

function nameOf({ method, url = '' }: IncomingMessage): string {
  const at = new URL(url, 'https://kube');
  const resource = at.pathname.split('/').at(-1) ?? '';
  if (method !== 'GET') return `${(method ?? '').toLowerCase()} ${resource}`;
  if (at.searchParams.has('watch')) return `watch ${resource}`;
  return at.searchParams.has('continue') ? `page ${resource}` : `list ${resource}`;
}
