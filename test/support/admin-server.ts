// A real admin API over a real unix socket and TCP on a free port, around a recording appliance, and a way to call it without any client of ours.
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdminApi, createAdminApi } from '../../balancer/controller/api/server.ts';
import { silentLog } from '../../balancer/log.ts';
import { systemClock } from '../../health/clock.ts';
import { RecordingAppliance } from './recording-appliance.ts';

export interface AdminServer extends AsyncDisposable {
  readonly appliance: RecordingAppliance;
  readonly api: AdminApi;
  readonly directory: string;
  readonly socketPath: string;
  readonly port: number;
  readonly url: string;
}

export async function startAdminServer(): Promise<AdminServer> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-admin-'));
  const socketPath = join(directory, 'admin.sock');
  const appliance = new RecordingAppliance();
  const bind = { host: '127.0.0.1', port: 0 };
  const api = createAdminApi({ appliance, socketPath, bind, tls: null, clock: systemClock, log: silentLog });
  await api.start();
  const port = api.address()?.port ?? 0;
  return {
    appliance,
    api,
    directory,
    socketPath,
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await api.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface ApiCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The body as JSON; `{}` when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Calls over the socket (`{ socketPath }`) or TCP (`{ host, port }`). */
export async function callApi(target: { socketPath: string } | { host: string; port: number }, call: ApiCall): Promise<ApiAnswer> {
  const response = await openApi(target, call);
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) };
}

/** The same, returning the response with its body unread, for streams. */
export function openApi(target: { socketPath: string } | { host: string; port: number }, call: ApiCall): Promise<IncomingMessage> {
  const body = call.body === undefined || typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
  const json = call.body !== undefined && typeof call.body !== 'string' ? { 'content-type': 'application/json' } : {};
  return new Promise((resolve, reject) => {
    const options = { ...target, method: call.method ?? 'GET', path: call.path, headers: { ...json, ...call.headers }, agent: false };
    request(options, resolve).once('error', reject).end(body);
  });
}

/** The next `count` non-empty lines of a stream, decoded. */
export async function readLines(response: IncomingMessage, count: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const lines: Readonly<Record<string, unknown>>[] = [];
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    rest += String(chunk);
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.filter((line) => line !== '').map(parse));
    if (lines.length >= count) break;
  }
  return lines;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
