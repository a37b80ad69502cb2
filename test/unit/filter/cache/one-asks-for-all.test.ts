// Requests for the same at the same time: one goes to the service, the others wait for what it gets, and for nothing that is not for them.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it, test, type TestContext } from 'node:test';
import { cache } from '../../../../balancer/filter/cache/cache.ts';
import { Flights } from '../../../../balancer/filter/cache/flights.ts';
import { aFilterEnvironment } from '../../../support/filter-environment.ts';
import { filterOptions } from '../../../support/filter-options.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { startOrigin, type Origin } from '../../../support/origin.ts';
import { startProxy } from '../../../support/proxy.ts';
import { connectRaw } from '../../../support/raw-client.ts';
import { aRequest } from '../../../support/request.ts';
import { until } from '../../../support/until.ts';

type Held = readonly [IncomingMessage, ServerResponse];

/** A service that answers when the test says so. */
async function heldService(t: TestContext, options: object = {}): Promise<{ held: Held[]; origin: Origin; port: number }> {
  const held: Held[] = [];
  const origin = await startOrigin(t, (request, response) => void held.push([request, response]));
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ cache: { wait: '30s', ...options } }] } });
  return { held, origin, port: proxy.port };
}

const FRESH = { 'cache-control': 'max-age=60', 'content-length': 4 };
const ask = (port: number, headers: Record<string, string> = {}): Promise<string> =>
  fetch(`http://127.0.0.1:${port}/`, { headers }).then((response) => response.text());

test('a hundred requests for what is not stored become one, and all get it', async (t) => {
  const { held, origin, port } = await heldService(t);
  const answers = Array.from({ length: 100 }, () => ask(port));
  await until(() => held.length === 1, 'the first request');
  held[0]?.[1].writeHead(200, FRESH).end('page');
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(['page']));
  assert.equal(origin.requests.length, 1);
});

test('they wait no longer than until the head says that it is not for them, and not at all the next time', async (t) => {
  const { held, port } = await heldService(t);
  const answers = Array.from({ length: 3 }, () => ask(port));
  await until(() => held.length === 1, 'the first request');
  // Its body is still to come.
  held[0]?.[1].writeHead(200, { 'cache-control': 'private' }).write('mine');
  await until(() => held.length === 3, 'the others');
  for (const [, response] of held) response.end();
  await Promise.all(answers);
  const later = [ask(port), ask(port)];
  await until(() => held.length === 5, 'two requests at once');
  for (const [, response] of held.slice(3)) response.end();
  await Promise.all(later);
});

test('those that would get another variant go on with the head, the others get it', async (t) => {
  const { held, port } = await heldService(t);
  const german = [ask(port, { 'accept-language': 'de' })];
  await until(() => held.length === 1, 'the first request');
  german.push(ask(port, { 'accept-language': 'de' }));
  const english = ask(port, { 'accept-language': 'en' });
  held[0]?.[1].writeHead(200, { ...FRESH, vary: 'accept-language' }).flushHeaders();
  await until(() => held.length === 2, 'the request for another variant');
  held[0]?.[1].end('Seit');
  held[1]?.[1].writeHead(200, { ...FRESH, vary: 'accept-language' }).end('page');
  assert.deepEqual([...(await Promise.all(german)), await english], ['Seit', 'Seit', 'page']);
  assert.equal(held.length, 2);
});

test('they go on when the one they wait for fails or its client leaves', async (t) => {
  const { held, port } = await heldService(t);
  const leaving = await connectRaw(t, port);
  leaving.send(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  await until(() => held.length === 1, 'the first request');
  const waiting = ask(port);
  leaving.socket.destroy();
  await until(() => held.length === 2, 'the request that waited');
  held[1]?.[1].writeHead(200, FRESH).end('page');
  assert.equal(await waiting, 'page');
});

test('nobody waits for one that has left while it waited itself', async () => {
  const { recall, onEnd } = cache.create(filterOptions('cache', '{}'), aFilterEnvironment({ clock: new ManualClock() }));
  assert.ok(recall !== undefined && onEnd !== undefined);
  const [leading, leaving, next] = [aRequest(), aRequest(), aRequest()];
  assert.equal(recall(leading, PLAIN), null);
  const waiting = recall(leaving, PLAIN);
  assert.ok(waiting instanceof Promise);
  for (const request of [leaving, leading]) onEnd(request, { status: 0, durationMs: 1 });
  assert.equal(await waiting, null);
  assert.equal(recall(next, PLAIN), null);
});

const PLAIN = { bodyLength: 0, upgrade: '' };

describe('requests of one kind', () => {
  const settled = async (promise: Promise<undefined> | null): Promise<boolean> => {
    let done = false;
    void promise?.then(() => (done = true));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return done;
  };

  it('wait a bounded time, then each goes on its own', async () => {
    const clock = new ManualClock();
    const flights = new Flights(clock, 1000);
    flights.begin('a');
    const waiting = flights.wait('a', []);
    clock.advance(999);
    assert.equal(await settled(waiting), false);
    clock.advance(1);
    assert.equal(await settled(waiting), true);
    assert.equal(clock.pending, 0);
  });

  it('do not wait where that is switched off, where nobody asks, or where too many wait', () => {
    const clock = new ManualClock();
    const off = new Flights(clock, 0);
    assert.deepEqual([off.begin('a'), off.wait('a', [])], [null, null]);
    const flights = new Flights(clock, 1000);
    assert.equal(flights.wait('a', []), null);
    flights.begin('a');
    for (let i = 0; i < 1000; i += 1) assert.notEqual(flights.wait('a', []), null);
    assert.equal(flights.wait('a', []), null);
  });

  it('wait again some time after an answer that was for nobody else', () => {
    const clock = new ManualClock();
    const flights = new Flights(clock, 1000);
    flights.begin('a')?.end(false);
    assert.equal(flights.begin('a'), null);
    clock.advance(10_000);
    assert.notEqual(flights.begin('a'), null);
  });
});
