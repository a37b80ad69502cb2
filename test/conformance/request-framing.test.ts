// Requests whose framing is doubtful are refused with the connection closed, however they are cut; sound ones arrive as exactly as many as were sent.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { IncomingMessage } from 'node:http';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { connectRaw } from '../support/raw-client.ts';
import { readByEngine } from '../support/two-readers.ts';
import { post, type RawRequest } from './corpus/form.ts';
import { REQUEST_CHUNKS } from './corpus/request-chunks.ts';
import { REQUEST_HEADS } from './corpus/request-heads.ts';
import { REQUEST_LENGTHS } from './corpus/request-lengths.ts';
import { SOUND_SEQUENCES } from './corpus/request-sequences.ts';

/** What is refused must not depend on how it was cut. */
const cuts: readonly ((bytes: string) => readonly string[])[] = [
  (bytes) => [bytes],
  (bytes) => [bytes.slice(0, Math.ceil(bytes.length / 2)), bytes.slice(Math.ceil(bytes.length / 2))],
  (bytes) => (bytes.length > MAX_SINGLE_BYTES ? [bytes] : Array.from({ length: bytes.length }, (_, at) => bytes.charAt(at))),
];
const MAX_SINGLE_BYTES = 600;

const refused: readonly (RawRequest & { readonly status?: number })[] = [...REQUEST_LENGTHS, ...REQUEST_HEADS];
const broken = REQUEST_CHUNKS.map((chunks) => ({ ...chunks, bytes: `${post('Transfer-Encoding: chunked')}${chunks.bytes}` }));

describe('a request whose framing is doubtful', () => {
  for (const { name, source, bytes, status = 400 } of refused) {
    it(`is refused: ${name} (${source})`, async () => {
      for (const cut of cuts) {
        const reading = await readByEngine(cut(bytes));
        assert.match(reading.sent, new RegExp(`^HTTP/1\\.1 ${status} `));
        assert.match(reading.sent, /\r\nconnection: close\r\n/);
        assert.deepEqual(reading.requests, []);
        assert.equal(reading.refused, 1);
        assert.ok(reading.ended);
      }
    });
  }

  it('gets no byte to an origin', async (t) => {
    const { origin, proxy } = await startPair(t);
    for (const { name, bytes, status = 400 } of refused) {
      assert.match(await answerTo(t, proxy, bytes), new RegExp(`^HTTP/1\\.1 ${status} `), name);
      assert.equal(origin.requests.length, 0, name);
    }
  });
});

describe('a chunked body whose coding is doubtful', () => {
  for (const { name, source, bytes } of broken) {
    it(`is refused: ${name} (${source})`, async () => {
      for (const cut of cuts) {
        const reading = await readByEngine(cut(bytes));
        assert.match(reading.sent, /^HTTP\/1\.1 400 /);
        assert.deepEqual(
          reading.requests.map(({ target, complete }) => ({ target, complete })),
          [{ target: '/', complete: false }],
        );
        assert.ok(reading.ended);
      }
    });
  }

  it('never arrives complete, and nothing arrives behind it', async (t) => {
    const { origin, proxy, arrived } = await startPair(t);
    for (const { name, bytes } of broken) {
      assert.match(await answerTo(t, proxy, bytes), /^HTTP\/1\.1 400 /, name);
      assert.deepEqual(arrived, [], name);
    }
    assert.deepEqual(origin.misread, []);
  });
});

describe('a sound request that others have misread', () => {
  it('arrives as it was sent, framed anew, and is answered', async (t) => {
    const { origin, proxy, arrived } = await startPair(t);
    for (const { name, source, bytes, arrives, without = [] } of SOUND_SEQUENCES) {
      arrived.length = 0;
      const client = await connectRaw(t, proxy.port);
      client.send(bytes);
      const answers = (received: string): number => received.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
      await client.until((received) => answers(received) === arrives.length, `${arrives.length} answers to ${name} (${source})`);
      client.socket.destroy();
      assert.deepEqual(
        arrived.map(({ text }) => text),
        arrives,
        name,
      );
      for (const { message } of arrived) for (const field of without) assert.equal(message.headers[field], undefined, `${name}: ${field}`);
    }
    assert.deepEqual(origin.misread, []);
  });
});

interface Pair {
  readonly origin: Origin;
  readonly proxy: Proxy;
  /** Requests that are complete at the origin: `METHOD target body`. */
  readonly arrived: { readonly text: string; readonly message: IncomingMessage }[];
}

async function startPair(t: TestContext): Promise<Pair> {
  const arrived: { readonly text: string; readonly message: IncomingMessage }[] = [];
  const origin = await startOrigin(t, (message, response) => {
    let body = '';
    message.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    message.on('error', () => undefined);
    message.on('end', () => {
      arrived.push({ text: `${message.method ?? ''} ${message.url ?? ''} ${body}`, message });
      response.end();
    });
  });
  return { origin, arrived, proxy: await startProxy(t, { endpoints: [origin.endpoint] }) };
}

/** All that comes back on a connection that the other side ends. */
async function answerTo(t: TestContext, proxy: Proxy, bytes: string): Promise<string> {
  const client = await connectRaw(t, proxy.port);
  client.send(bytes);
  const received = await client.untilClosed();
  client.socket.destroy();
  return received;
}
