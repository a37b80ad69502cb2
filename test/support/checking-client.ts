// A client that pipelines, reuses and cancels at random, and knows of every response whether it is the one to its request.
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Random } from '../../health/clock.ts';
import { bodyOf } from './unruly-origin.ts';

export interface Findings {
  /** Whole answers of the origin with the right id everywhere. */
  right: number;
  /** Answers of the balancer itself, with the id of the request. */
  local: number;
  /** Responses that broke off, after a right beginning. */
  broken: number;
  /** Requests whose connection ended without any answer to them. */
  unanswered: number;
  /** Requests whose client left on purpose. */
  cancelled: number;
  /** Responses to another request; what was asked and what came. */
  readonly mismatches: string[];
}

export function noFindings(): Findings {
  return { right: 0, local: 0, broken: 0, unanswered: 0, cancelled: 0, mismatches: [] };
}

/** Asks until `nextId` has no more ids, one connection after the other. */
export async function runCheckingClient(port: number, nextId: () => string | null, random: Random, findings: Findings): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    let open = true;
    socket.once('close', () => (open = false));
    const reader = new ResponseReader(socket);
    while (open) {
      const asked = ask(socket, nextId, random);
      if (asked.length === 0) {
        socket.destroy();
        return;
      }
      if (random() < 0.05) {
        if (random() < 0.7) await new Promise((resolve) => setTimeout(resolve, random() * 10));
        socket.destroy();
        findings.cancelled += asked.length;
        break;
      }
      for (const request of asked) if (!(await check(reader, request, findings))) open = false;
    }
    socket.destroy();
  }
}

interface Request {
  readonly id: string;
  readonly method: string;
}

const METHODS = ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'POST'];

/** Sends 1 to 6 requests in one write. */
function ask(socket: Socket, nextId: () => string | null, random: Random): readonly Request[] {
  const asked: Request[] = [];
  let text = '';
  const count = random() < 0.5 ? 1 : 1 + Math.floor(random() * 6);
  for (let index = 0; index < count; index += 1) {
    const id = nextId();
    if (id === null) break;
    const method = METHODS[Math.floor(random() * METHODS.length)] ?? 'GET';
    const head = `${method} /${id} HTTP/1.1\r\nhost: demo.example\r\nx-id: ${id}\r\nx-request-id: ${id}\r\n`;
    const body = bodyOf(id, Math.floor(random() * 200));
    if (method !== 'POST') text += `${head}\r\n`;
    else if (random() < 0.5) text += `${head}content-length: ${body.length}\r\n\r\n${body}`;
    else text += `${head}transfer-encoding: chunked\r\n\r\n${body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`}0\r\n\r\n`;
    asked.push({ id, method });
  }
  socket.write(text);
  return asked;
}

/** False when nothing more comes on this connection. */
async function check(reader: ResponseReader, { id, method }: Request, findings: Findings): Promise<boolean> {
  const response = await reader.next(method);
  if (response === null) {
    findings.unanswered += 1;
    return false;
  }
  const { status, fields, body, complete } = response;
  const isLocal = status >= 500;
  const told = (isLocal ? /^x-request-id: (.*)$/im : /^x-echo: (.*)$/im).exec(fields)?.[1];
  const bodyFits = isLocal ? body === '' || body.includes(`"requestId":"${id}"`) || !complete : fits(body, id, complete);
  if (told !== id || !bodyFits) findings.mismatches.push(`${method} ${id}: ${status} for ${told ?? 'nobody'}, body ${body.slice(0, 60)}`);
  else if (!complete) findings.broken += 1;
  else if (isLocal) findings.local += 1;
  else findings.right += 1;
  return complete && !/^connection: close$/im.test(fields);
}

/** The id again and again; the last one may be cut in a response that broke off. */
function fits(body: string, id: string, complete: boolean): boolean {
  const expected = bodyOf(id, Math.ceil(body.length / (id.length + 1)));
  return complete ? body === expected : expected.startsWith(body);
}

interface Response {
  readonly status: number;
  /** The field lines. */
  readonly fields: string;
  readonly body: string;
  readonly complete: boolean;
}

/** Takes final responses off a connection, one by one. */
class ResponseReader {
  readonly #socket: Socket;
  readonly #pieces: string[] = [];
  #received = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk.toString('latin1'));
      this.#wake();
    });
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
  }

  /** Null: the connection ended before a final response began. */
  async next(method: string): Promise<Response | null> {
    for (;;) {
      if (!(await this.#until(() => this.#received.includes('\r\n\r\n')))) return null;
      const end = this.#received.indexOf('\r\n\r\n');
      const fields = this.#received.slice(0, end).replaceAll('\r\n', '\n');
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(fields)?.[1] ?? 0);
      this.#received = this.#received.slice(end + 4);
      if (status >= 200 || status === 0) return { status, fields, ...(await this.#body(method, fields)) };
    }
  }

  async #body(method: string, fields: string): Promise<{ readonly body: string; readonly complete: boolean }> {
    if (method === 'HEAD') return { body: '', complete: true };
    if (/^transfer-encoding: chunked$/im.test(fields)) return this.#chunked();
    const length = Number(/^content-length: (\d+)$/im.exec(fields)?.[1] ?? Infinity);
    const complete = (await this.#until(() => this.#received.length >= length)) || length === Infinity;
    return { body: this.#cut(Math.min(length, this.#received.length)), complete };
  }

  async #chunked(): Promise<{ readonly body: string; readonly complete: boolean }> {
    let body = '';
    for (;;) {
      if (!(await this.#until(() => this.#received.includes('\r\n')))) return { body, complete: false };
      const size = Number.parseInt(this.#cut(this.#received.indexOf('\r\n') + 2), 16);
      const whole = await this.#until(() => this.#received.length >= size + 2);
      const piece = this.#cut(Math.min(this.#received.length, size + 2));
      body += piece.slice(0, size);
      if (size === 0 || !whole) return { body, complete: whole };
    }
  }

  #cut(length: number): string {
    const text = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return text;
  }

  /** False: the connection ended first. */
  async #until(enough: () => boolean): Promise<boolean> {
    for (;;) {
      this.#received += this.#pieces.splice(0).join('');
      if (enough()) return true;
      if (this.#ended || this.#socket.destroyed) return false;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#wake = () => resolve(undefined);
      await promise;
    }
  }
}
