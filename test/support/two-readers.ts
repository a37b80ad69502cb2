// The same bytes read twice: by the engine and by Node's own strict parser. What one takes and the other refuses is where requests are smuggled.
import { createServer, METHODS, type IncomingMessage, type Server } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import { canonicalTarget } from '../../balancer/message/canonical-path.ts';
import { EngineBench } from './engine.ts';
import { MemorySocket } from './memory-socket.ts';

/** One request as a reader understood it: what decides who answers it, and where the next one begins. */
export interface ReadRequest {
  readonly method: string;
  /** Path and query, canonical. */
  readonly target: string;
  readonly host: string;
  /** End-to-end fields: `name: value`, names in lower case. */
  readonly fields: readonly string[];
  readonly body: string;
  /** The body has come to its end. */
  readonly complete: boolean;
  /** It asks to change the protocol: what follows is no HTTP any more to a reader that takes it at its word. */
  readonly leaves: boolean;
}

/** Fields that end at each hop, and those that frame or route the message. */
const HOP_FIELDS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Turns of the event loop after which a parser in memory has said all it has to say: it needs one, its streams one more. */
const TURNS = 3;

export interface EngineReading {
  readonly requests: readonly ReadRequest[];
  /** What it answered. */
  readonly sent: string;
  /** How many requests it could not read. */
  readonly refused: number;
  /** It has ended the connection. */
  readonly ended: boolean;
}

/** What the engine understands of bytes that arrive in these pieces. */
export async function readByEngine(pieces: readonly string[]): Promise<EngineReading> {
  const bench = new EngineBench(new Deadlines(systemClock), { limits: { headBytes: 16_384, fields: 1000 } });
  const socket = new MemorySocket();
  bench.accept(socket);
  for (const piece of pieces) {
    socket.feed(piece);
    if (pieces.length > 1) await setImmediate();
  }
  await turns();
  const { sent, ended } = socket;
  // Before the end: a request that is cut off then is no request that was refused.
  const requests = bench.understood.map(({ method, target, host, fields, body, complete }) => ({
    method,
    target,
    host,
    fields: pairs(fields),
    body,
    complete,
    leaves: false,
  }));
  socket.destroy();
  return { requests, sent, ended, refused: bench.refused.length };
}

/** Node's parser as its HTTP server uses it by default: strict. */
export class StrictNode {
  readonly #server: Server;
  #seen: { readonly message: IncomingMessage; body: string }[] = [];

  constructor() {
    this.#server = createServer({ maxHeaderSize: 65_536, requireHostHeader: true }, (message, response) => {
      const seen = { message, body: '' };
      this.#seen.push(seen);
      message.on('data', (chunk: Buffer) => (seen.body += chunk.toString('latin1')));
      message.on('error', () => undefined);
      message.on('end', () => response.end());
    });
    this.#server.maxHeadersCount = 0;
    this.#server.on('clientError', () => undefined);
  }

  async read(bytes: string): Promise<readonly ReadRequest[]> {
    this.#seen = [];
    const socket = new MemorySocket();
    this.#server.emit('connection', socket);
    socket.feed(bytes);
    await turns();
    const requests = this.#seen.map(({ message, body }) => ({
      method: message.method ?? '',
      target: targetOf(message.url ?? ''),
      host: (message.headers.host ?? authorityOf(message.url ?? '')).toLowerCase().replace(/\.?(:\d+)?$/, ''),
      fields: endToEnd(pairs(message.rawHeaders), message.headers.connection ?? ''),
      body,
      complete: message.complete,
      leaves: message.headers.upgrade !== undefined,
    }));
    socket.destroy();
    return requests;
  }
}

/** Extension methods are allowed by RFC 9110 section 9.1 and unknown to Node: there its verdict says nothing. */
export function knownToNode(requests: readonly ReadRequest[]): boolean {
  return requests.every(({ method }) => METHODS.includes(method));
}

/**
 * Null when `theirs` holds all that `ours` holds: the same requests in the same order, each with the same body, none beyond. What the other
 * reader refuses later, or reads on where we stopped, is not ours to answer for.
 */
export function disagreement(ours: readonly ReadRequest[], theirs: readonly ReadRequest[]): string | null {
  for (const [index, mine] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined && theirs.at(-1)?.leaves === true) return null;
    if (other === undefined) return `request ${index + 1} is refused by the other reader`;
    for (const part of ['method', 'target', 'host', 'complete', 'body'] as const) {
      // A body that is not complete may have been handed on to a different extent.
      if (part === 'body' && !mine.complete) continue;
      if (part === 'complete' && !mine.complete) continue;
      if (mine[part] !== other[part])
        return `request ${index + 1}: ${part} is ${show(mine[part])}, for the other reader ${show(other[part])}`;
    }
    if (mine.fields.join('\n') !== other.fields.join('\n'))
      return `request ${index + 1}: fields are ${show(mine.fields)}, for the other reader ${show(other.fields)}`;
  }
  return null;
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
}

/** Of an absolute target; only HTTP/1.0 may name its host there and nowhere else. */
function authorityOf(url: string): string {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1] ?? '';
}

function targetOf(url: string): string {
  const origin = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const target = canonicalTarget(origin.startsWith('/') || origin === '*' ? origin : `/${origin}`);
  if (target === null) return url;
  return target.hasQuery ? `${target.path}?${target.query}` : target.path;
}

function pairs(fields: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (let i = 0; i < fields.length; i += 2) lines.push(`${(fields[i] ?? '').toLowerCase()}: ${fields[i + 1] ?? ''}`);
  return lines;
}

function endToEnd(lines: readonly string[], connection: string): readonly string[] {
  const named = connection.split(',').map((option) => option.trim().toLowerCase());
  return lines.filter((line) => {
    const name = line.slice(0, line.indexOf(':'));
    return !HOP_FIELDS.has(name) && !named.includes(name);
  });
}

const show = (value: unknown): string => JSON.stringify(value);
