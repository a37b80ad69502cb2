// What origins answer, raw: a broken head is 502, a broken body is broken off, a sound response is whole, and no byte of it is ever another's answer.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startRawOrigin, type RawExchange } from '../support/origin.ts';
import { startProxy } from '../support/proxy.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { BROKEN_OFF_RESPONSES, REFUSED_RESPONSES, SOUND_RESPONSES, type RawResponse } from './corpus/responses.ts';

const AFTER = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nafter';

test('a response whose head is broken', async (t) => {
  const pair = await startPair(t);
  for (const response of REFUSED_RESPONSES) {
    await t.test(`is 502, and its connection is closed: ${response.name} (${response.source})`, async (t) => {
      const { client, served } = await pair.ask(t, response);
      const received = await client.until((text) => text.endsWith('}\n'), 'the answer');
      assert.match(received.replace(/^(?:HTTP\/1\.1 1[\s\S]*?\r\n\r\n)+/, ''), /^HTTP\/1\.1 502 /);
      await endOf(await served);
      const next = await pair.askOn(client);
      assert.match(client.received.slice(received.length), /^HTTP\/1\.1 200 /);
      assert.notEqual(next, await served);
    });
  }
});

test('a response that breaks in the middle', async (t) => {
  const pair = await startPair(t);
  for (const response of BROKEN_OFF_RESPONSES) {
    await t.test(`is broken off for the client too: ${response.name} (${response.source})`, async (t) => {
      const { client, served } = await pair.ask(t, response);
      const received = await client.untilClosed();
      if (received !== '') {
        assert.match(received, /^HTTP\/1\.1 200 /);
        assert.ok(!isComplete(received), JSON.stringify(received));
      }
      await endOf(await served);
    });
  }
});

test('a sound response', async (t) => {
  const pair = await startPair(t);
  for (const response of SOUND_RESPONSES) {
    await t.test(`is passed on whole, and nothing else: ${response.name} (${response.source})`, async (t) => {
      const method = response.method ?? 'GET';
      const { client, served } = await pair.ask(t, response, method);
      await client.until((text) => finalOf(text) !== null, 'a head');
      const next = await pair.askOn(client);
      assert.deepEqual(
        responsesIn(client.received, method).filter(({ status }) => status >= 200),
        [
          { status: response.status, body: response.body },
          { status: 200, body: 'after' },
        ],
      );
      assert.equal(next === (await served), response.reused);
    });
  }
});

interface Pair {
  /** Asks on a connection of its own for this response; `served` is the endpoint's connection that it came on. */
  ask(
    t: TestContext,
    response: RawResponse,
    method?: string,
  ): Promise<{ readonly client: RawClient; readonly served: Promise<RawExchange> }>;
  /** Asks once more on the client's connection for something sound, and waits for it. */
  askOn(client: RawClient): Promise<RawExchange>;
}

/** One proxy and one origin for all cases of a group: an origin says what the request before it named. */
async function startPair(t: TestContext): Promise<Pair> {
  let response: RawResponse | null = null;
  let asked = Promise.withResolvers<RawExchange>();
  const origin = await startRawOrigin(t, (exchange) => {
    if (!exchange.received.endsWith('\r\n\r\n')) return;
    exchange.received = '';
    if (response === null) exchange.socket.write(AFTER);
    else say(exchange, response);
    asked.resolve(exchange);
  });
  // However often it answers badly, it is asked again.
  const outlier = { consecutive: 1_000_000, minRequests: 1_000_000 };
  const { port } = await startProxy(t, { endpoints: [origin.endpoint], cluster: { outlier }, service: { retries: { attempts: 0 } } });
  const send = (client: RawClient, method: string, next: RawResponse | null): Promise<RawExchange> => {
    response = next;
    asked = Promise.withResolvers();
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    return asked.promise;
  };
  return {
    ask: async (t, wanted, method = 'GET') => {
      const client = await connectRaw(t, port);
      return { client, served: send(client, method, wanted) };
    },
    askOn: async (client) => {
      const served = send(client, 'GET', null);
      await client.until((text) => text.endsWith('after'), 'the next response');
      return served;
    },
  };
}

function say({ socket }: RawExchange, { bytes, then }: RawResponse): void {
  if (then === 'fin') socket.end(bytes, 'latin1');
  // A reset overtakes bytes that have not been read; those that matter are read first.
  else if (then === 'reset') socket.write(bytes, 'latin1', () => setTimeout(() => socket.resetAndDestroy(), 50));
  else socket.write(bytes, 'latin1');
}

/** Resolves when weir has ended its side. */
async function endOf({ socket }: RawExchange): Promise<void> {
  if (socket.destroyed || socket.readableEnded) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  for (const event of ['end', 'close']) socket.once(event, () => resolve(undefined));
  await promise;
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

/** The responses in what a client got, of which the first is to `method` and the rest to GET. */
function responsesIn(received: string, method: string): readonly Answered[] {
  const answers: Answered[] = [];
  let rest = received;
  let asked = method;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.slice(0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const bodyless = asked === 'HEAD' || status < 200 || status === 204 || status === 304;
    const body = bodyless ? { text: '', length: 0 } : bodyOf(head, rest.slice(end));
    answers.push({ status, body: body.text });
    if (status >= 200) asked = 'GET';
    rest = rest.slice(end + body.length);
  }
  return answers;
}

function bodyOf(head: string, rest: string): { readonly text: string; readonly length: number } {
  const length = /\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1];
  if (length !== undefined) return { text: rest.slice(0, Number(length)), length: Number(length) };
  assert.match(head, /\r\ntransfer-encoding: chunked\r\n/);
  let text = '';
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    const size = Number.parseInt(rest.slice(at, lineEnd), 16);
    if (size === 0) return { text, length: rest.indexOf('\r\n\r\n', at) + 4 };
    text += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}

/** Index behind the head of the final response, or null. */
function finalOf(received: string): number | null {
  const match = /HTTP\/1\.1 [2-5]\d\d [\s\S]*?\r\n\r\n/.exec(received);
  return match === null ? null : match.index + match[0].length;
}

/** Whether a client would take it for the whole response. */
function isComplete(received: string): boolean {
  const end = finalOf(received) ?? 0;
  const length = /\r\ncontent-length: (\d+)\r\n/.exec(received)?.[1];
  return length === undefined ? /(?:^|\r\n)0\r\n(?:.*\r\n)*\r\n$/.test(received.slice(end)) : received.length - end >= Number(length);
}
