// The API server over HTTP/1.1: each watch has a connection of its own, so that one that went silent takes no other with it.
import { Agent, type Dispatcher } from 'undici';
import type { Clock } from '../../health/clock.ts';
import { weirVersion } from '../../balancer/version.ts';
import type { ApiAnswer, ApiFailure, ApiServer, StreamHandlers } from './api.ts';
import type { Access, Credentials, TlsMaterial } from './credentials.ts';
import { JsonLines } from './json-lines.ts';
import { fieldOf, textOf } from './read-json.ts';

const CONNECT_MS = 5000;
/** A page of a list under load may take its time; the server itself gives up after a minute. */
const ANSWER_MS = 30_000;
const MOST_ANSWER_BYTES = 64 * 1024 * 1024;
const MOST_RETRY_AFTER_MS = 300_000;

export type ApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Question {
  readonly path: string;
  readonly method: ApiMethod;
  readonly body: object | null;
}

export class HttpApi implements ApiServer {
  readonly #server: URL;
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  #dispatcher: Agent | null = null;
  #tls: TlsMaterial | null = null;

  constructor(server: URL, credentials: Credentials, clock: Clock) {
    this.#server = server;
    this.#credentials = credentials;
    this.#clock = clock;
  }

  async get(path: string): Promise<ApiAnswer> {
    const abort = new AbortController();
    const limit = this.#clock.after(ANSWER_MS, () => abort.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)), true);
    try {
      const { statusCode, headers, body } = await this.#request({ path, method: 'GET', body: null }, abort.signal);
      const text = await boundedText(body);
      if (statusCode >= 200 && statusCode < 300) return { ok: true, value: isJson(headers) ? JSON.parse(text) : text };
      return failureOf(statusCode, headers, text);
    } catch (error) {
      return noAnswer(error);
    } finally {
      limit.cancel();
    }
  }

  stream(path: string, handlers: StreamHandlers): () => void {
    const abort = new AbortController();
    const limit = this.#clock.after(ANSWER_MS, () => abort.abort(new Error(`no answer within ${ANSWER_MS / 1000} s`)), true);
    let ended = false;
    const end = (failure: ApiFailure | null): void => {
      limit.cancel();
      if (ended) return;
      ended = true;
      handlers.onEnd(failure);
    };
    const run = async (): Promise<ApiFailure | null> => {
      const { statusCode, headers, body } = await this.#request({ path, method: 'GET', body: null }, abort.signal);
      limit.cancel();
      if (statusCode !== 200) return failureOf(statusCode, headers, await boundedText(body));
      if (!ended) handlers.onOpen();
      const lines = new JsonLines();
      for await (const chunk of body) for (const value of lines.push(chunk as Buffer)) if (!ended) handlers.onLine(value);
      return lines.isHalf ? noAnswer(new Error('the answer ended within a line')) : null;
    };
    run().then(end, (error: unknown) => {
      // A line that is no JSON leaves the rest of the answer unread.
      abort.abort();
      end(noAnswer(error));
    });
    return () => {
      ended = true;
      limit.cancel();
      abort.abort(new Error('ended by the agent'));
    };
  }

  /**
   * For the few that write: any method, with a body as JSON, or as a merge patch (RFC 7386) with PATCH. Whatever is answered is an answer; rejects when
   * none came.
   */
  async request(
    method: ApiMethod,
    path: string,
    body: object | null,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: unknown }> {
    const answer = await this.#request({ path, method, body }, signal);
    const text = await boundedText(answer.body);
    return { status: answer.statusCode, body: isJson(answer.headers) && text !== '' ? JSON.parse(text) : null };
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
    this.#dispatcher = null;
  }

  /** Asks once more with new credentials when the first were refused. */
  async #request(question: Question, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const access = await this.#credentials.access();
    const answer = await this.#ask(question, access, signal);
    if (answer.statusCode !== 401) return answer;
    this.#credentials.refused();
    const next = await this.#credentials.access();
    if (next.authorization === access.authorization && next.tls === access.tls) return answer;
    await answer.body.dump();
    return this.#ask(question, next, signal);
  }

  #ask({ path, method, body }: Question, { authorization, tls }: Access, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': `weir-agent/${weirVersion()}` };
    if (authorization !== null) headers['authorization'] = authorization;
    if (body !== null) headers['content-type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const prefix = this.#server.pathname.replace(/\/$/, '');
    const text = body === null ? null : JSON.stringify(body);
    return this.#dispatcherOf(tls).request({ origin: this.#server.origin, path: prefix + path, method, headers, body: text, signal });
  }

  /** Another certificate or authority: connections that are open end with their answers, new ones are made with it. */
  #dispatcherOf(tls: TlsMaterial): Agent {
    if (this.#dispatcher !== null && this.#tls === tls) return this.#dispatcher;
    void this.#dispatcher?.close();
    this.#tls = tls;
    this.#dispatcher = new Agent({
      allowH2: false,
      // Limits are the agent's own: a watch is silent for as long as nothing happens.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: CONNECT_MS,
        rejectUnauthorized: tls.verify,
        ...(tls.ca === null ? {} : { ca: tls.ca }),
        ...(tls.cert === null || tls.key === null ? {} : { cert: tls.cert, key: tls.key }),
        ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      },
    });
    return this.#dispatcher;
  }
}

async function boundedText(body: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) throw new Error(`an answer of more than ${MOST_ANSWER_BYTES} bytes`);
    pieces.push(chunk);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** `/readyz` answers with plain words. */
function isJson(headers: Readonly<Record<string, unknown>>): boolean {
  return textOf(headers, 'content-type').includes('json');
}

/** The server says what is wrong in a `Status` object. */
function failureOf(status: number, headers: Readonly<Record<string, unknown>>, text: string): ApiFailure {
  let message = '';
  try {
    message = textOf(JSON.parse(text), 'message');
  } catch {
    // Something before the server answered, in its own words.
  }
  const seconds = Number(fieldOf(headers, 'retry-after'));
  return {
    ok: false,
    status,
    problem: message === '' ? `status ${status}` : `${message} (${status})`,
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? Math.min(MOST_RETRY_AFTER_MS, seconds * 1000) : null,
  };
}

function noAnswer(error: unknown): ApiFailure {
  const problem = error instanceof Error ? error.message || String(Reflect.get(error, 'code')) : String(error);
  return { ok: false, status: 0, problem, retryAfterMs: null };
}
