// Large bodies use the memory of those before them, and none that is still needed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { ResponseHeads } from '../../../balancer/http1/response-head.ts';
import { Http1UpstreamConnection } from '../../../balancer/http1/upstream-connection.ts';
import type { DownstreamExchange } from '../../../balancer/message/exchange.ts';
import { UpstreamSocket } from '../../../balancer/socket/upstream-socket.ts';
import { systemClock } from '../../../health/clock.ts';
import { Deadlines } from '../../../health/deadlines.ts';
import { startEngine } from '../../support/engine.ts';
import { startOrigin } from '../../support/origin.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { aRequest } from '../../support/request.ts';
import { until } from '../../support/until.ts';

/** More than two reads of the largest size. */
const LARGE = 700_000;

/** A body as it was handed on: the pieces themselves, as somebody has them who has not written them yet. */
class Pieces {
  readonly #list: Buffer[] = [];
  length = 0;

  add(piece: Buffer): void {
    this.#list.push(piece);
    this.length += piece.length;
  }

  /** Of the long ones: short ones are copied by whoever takes them. */
  get memory(): ReadonlySet<ArrayBufferLike> {
    return new Set(this.#list.filter(({ length }) => length > 8192).map(({ buffer }) => buffer));
  }

  get last(): Buffer {
    return this.#list.at(-1) ?? assert.fail('nothing has come');
  }
}

function memoryOf(bodies: readonly Pieces[]): ReadonlySet<ArrayBufferLike> {
  return new Set(bodies.flatMap(({ memory }) => [...memory]));
}

function consistsOf(piece: Buffer, letter: string): boolean {
  return piece.every((byte) => byte === letter.charCodeAt(0));
}

function post(letter: string, length = LARGE): string {
  return `POST /${letter} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${letter.repeat(length)}`;
}

type Takes = (path: string, body: Pieces) => boolean;

/** An engine that answers a body when it has come; `takes` says of each piece whether it was taken at once. */
async function receiving(t: TestContext, takes: Takes) {
  const bodies = new Map<string, Pieces>();
  const exchanges = new Map<string, DownstreamExchange>();
  const { port } = await startEngine(t, {
    takes: (exchange, piece) => {
      const { path } = exchange.request;
      const body = bodies.get(path) ?? new Pieces();
      bodies.set(path, body);
      exchanges.set(path, exchange);
      body.add(piece);
      return takes(path, body);
    },
  });
  return {
    connect: () => connectRaw(t, port),
    body: (letter: string): Pieces => bodies.get(`/${letter}`) ?? assert.fail(`nothing of ${letter} has come`),
    resume: (letter: string): void => exchanges.get(`/${letter}`)?.resumeBody(),
    memory: (): ReadonlySet<ArrayBufferLike> => memoryOf([...bodies.values()]),
  };
}

async function send(client: RawClient, ...letters: readonly string[]): Promise<void> {
  for (const letter of letters) {
    client.send(post(letter));
    await client.untilText(`POST /${letter}`);
  }
}

describe('the memory of an upload', () => {
  it('is that of the one before, also of another client', async (t) => {
    const engine = await receiving(t, () => true);
    const client = await engine.connect();
    await send(client, 'a', 'b');
    const before = engine.memory();
    await send(client, 'c', 'd');
    await send(await engine.connect(), 'e', 'f');
    assert.ok(engine.memory().size === before.size, `${before.size} pieces of memory, then ${engine.memory().size}`);
  });

  it("is nobody else's before the last piece has been taken", async (t) => {
    const engine = await receiving(t, (path, body) => path !== '/a' || body.length < LARGE);
    const client = await engine.connect();
    await send(client, 'a');
    const { last } = engine.body('a');
    await send(client, 'b', 'c');
    await send(await engine.connect(), 'd');
    assert.ok(consistsOf(last, 'a'), 'it was overwritten');
    engine.resume('a');
    await send(client, 'e');
    assert.ok(engine.body('e').memory.has(last.buffer), 'once it was taken it is used again');
  });

  it("is nobody else's while a part of the next body lies there", async (t) => {
    const held = new Set<string>();
    const engine = await receiving(t, (path) => {
      if (path > '/b' || held.has(path)) return true;
      held.add(path);
      return false;
    });
    const client = await engine.connect();
    const [first, second] = [post('a', 200_000), post('b').slice(0, 100_000)];
    client.send(first.slice(0, 100_000));
    await until(() => held.size === 1, 'the first piece is held');
    const written = Promise.withResolvers<undefined>();
    client.socket.write(first.slice(100_000) + second, () => written.resolve(undefined));
    await written.promise;
    for (let round = 0; !held.has('/b'); round += 1) {
      assert.ok(round < 1000, 'the next body begins');
      engine.resume('a');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { last } = engine.body('b');
    assert.ok(engine.body('a').memory.has(last.buffer), 'both lie in one read');
    await send(await engine.connect(), 'c', 'd');
    assert.ok(consistsOf(last, 'b'), 'it was overwritten');
  });
});

/** Connections to an endpoint that answers each path with its letter, many times, and closes behind a capital one; `takes` says of each piece whether the client took it at once. */
async function asking(t: TestContext, takes: Takes) {
  const deadlines = new Deadlines(systemClock, 10);
  t.after(() => deadlines.close());
  const { port } = await startOrigin(t, ({ url = '' }, response) => {
    if (/[A-Z]/.test(url)) response.setHeader('connection', 'close');
    response.end((url.at(1) ?? '').repeat(LARGE));
  });
  const bodies = new Map<string, Pieces>();
  const connect = async (): Promise<(letter: string) => Promise<Pieces>> => {
    const link = new UpstreamSocket({ host: '127.0.0.1', port, tls: null });
    t.after(() => link.socket.destroy());
    await once(link.socket, 'connect');
    const ignore = (): undefined => undefined;
    const settings = { keepAliveMs: 60_000, deadlines, heads: new ResponseHeads() };
    const connection = new Http1UpstreamConnection(link, settings, { onIdle: ignore, onClosed: ignore });
    return async (letter) => {
      const [path, body] = [`/${letter}`, new Pieces()];
      bodies.set(letter, body);
      const request = aRequest({ path });
      const timeouts = { firstByteMs: 0, betweenBytesMs: 0 };
      const about = { host: 'a', bodyLength: 0, expectsContinue: false, upgrade: '', timeouts, tryMs: 0, traceparent: '' };
      const over = Promise.withResolvers<undefined>();
      const exchange = connection.send(
        { ...about, request, fields: [] },
        {
          onInformational: ignore,
          onHead: ignore,
          onBody: (piece) => {
            body.add(piece);
            if (!takes(path, body)) exchange.pause();
          },
          onBodyEnd: () => over.resolve(undefined),
          onTurnEnd: ignore,
          onLate: ignore,
          onUpstreamDrain: ignore,
          onUpgrade: ignore,
          onUpstreamFailure: (code, detail) => over.reject(new Error(`${code}: ${detail}`)),
        },
      );
      await over.promise;
      return body;
    };
  };
  return { connect, memory: () => memoryOf([...bodies.values()]) };
}

describe('the memory of a download', () => {
  it('is that of the one before, also of another connection', async (t) => {
    const endpoint = await asking(t, () => true);
    const [one, other] = [await endpoint.connect(), await endpoint.connect()];
    for (const letter of ['a', 'b']) await one(letter);
    const before = endpoint.memory();
    for (const letter of ['c', 'd']) await one(letter);
    for (const letter of ['e', 'f']) await other(letter);
    assert.ok(endpoint.memory().size === before.size, `${before.size} pieces of memory, then ${endpoint.memory().size}`);
  });

  for (const [letter, how] of [
    ['a', 'is kept'],
    ['A', 'is closed'],
  ] as const)
    it(`is nobody else's before the client has taken the last piece, where the connection ${how}`, async (t) => {
      const endpoint = await asking(t, (path, body) => path !== `/${letter}` || body.length < LARGE);
      const { last } = await (await endpoint.connect())(letter);
      const [one, other] = [await endpoint.connect(), await endpoint.connect()];
      for (const later of ['b', 'c']) await one(later);
      await other('d');
      assert.ok(consistsOf(last, letter), 'it was overwritten');
    });
});
