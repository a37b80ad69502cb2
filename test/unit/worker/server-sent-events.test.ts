// Server-sent events: each goes on when it comes, whatever HTTP version the endpoint speaks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';

/** From the writing of the first event to its arrival. */
const BOUND_MS = 50;
const EVENTS = ['data: one\n\n', 'data: two\n\n'];
const HEAD = { 'content-type': 'text/event-stream' };

async function firstEventMs(url: string, release: (write: (writtenMs: number) => void) => void): Promise<number> {
  const { body } = await fetch(url);
  assert.ok(body !== null);
  const pieces = body[Symbol.asyncIterator]();
  const { promise: written, resolve } = Promise.withResolvers<number>();
  release(resolve);
  const { value } = (await pieces.next()) as { readonly value: Uint8Array };
  const arrivedMs = performance.now();
  assert.equal(Buffer.from(value).toString(), EVENTS[0]);
  await pieces.return?.();
  return arrivedMs - (await written);
}

test('an event of an HTTP/1.1 endpoint arrives within 50 ms', async (t) => {
  let send: () => void = () => undefined;
  const origin = await startOrigin(t, (_request, response) => {
    response.writeHead(200, HEAD);
    response.flushHeaders();
    send = () => response.write(EVENTS[0]);
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  const tookMs = await firstEventMs(proxy.url, (written) => {
    written(performance.now());
    send();
  });
  assert.ok(tookMs < BOUND_MS, `${tookMs} ms`);
});

test('an event of an HTTP/2 endpoint arrives within 50 ms', async (t) => {
  let send: () => void = () => undefined;
  const origin = await startH2Origin(t, ({ stream }) => {
    stream.respond({ ':status': 200, ...HEAD });
    send = () => stream.write(EVENTS[0]);
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  const tookMs = await firstEventMs(proxy.url, (written) => {
    written(performance.now());
    send();
  });
  assert.ok(tookMs < BOUND_MS, `${tookMs} ms`);
});
