// An authorizer under load: what it says is asked once and remembered within bounds, and one that is slow holds up no more than it may.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { Decisions } from '../../../../balancer/filter/external-authorizer/decisions.ts';
import { Questions } from '../../../../balancer/filter/external-authorizer/question.ts';
import { HttpQuestions } from '../../../../balancer/filter/http-questions.ts';
import { asksFirst, hear, startAuthorizer, type Authorizer } from '../../../support/authorizer.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { countOf } from '../../../support/proxy.ts';
import { aRequest } from '../../../support/request.ts';
import { until } from '../../../support/until.ts';

test('requests that ask the same wait for one answer, which holds for the time of the file', async (t) => {
  const authorizer = await startAuthorizer(t);
  authorizer.says = (response) => response.writeHead(200, { 'x-user': 'anna' }).end();
  const proxy = await asksFirst(t, { url: authorizer.url, set: ['x-user'], remember: { for: '10m' } });
  const get = async (path: string, headers: Record<string, string> = {}) => (await hear(`${proxy.url}${path}`, { headers })).said['x-user'];
  const users = await Promise.all(Array.from({ length: 20 }, () => get('/a')));
  assert.ok(users.every((user) => user === 'anna'));
  assert.equal(authorizer.asked.length, 1);
  assert.equal(await get('/a', { 'x-not-asked-about': '1' }), 'anna');
  assert.equal(authorizer.asked.length, 1);
  const others: readonly [string, Record<string, string>][] = [
    ['/b', {}],
    ['/a?', {}],
    ['/a?b', {}],
    ['/a', { authorization: 'Bearer a' }],
    ['/a', { cookie: 'Bearer a' }],
  ];
  for (const [path, headers] of others) assert.equal(await get(path, headers), 'anna');
  assert.equal(authorizer.asked.length, 1 + others.length, 'another question is asked');
  await until(() => countOf(proxy, 'weir_authorizer_decisions_total', 'all', 'remembered') === 20, 'what was not asked is counted');
});

test('with by: a decision holds for all that agree in what is named', async (t) => {
  const authorizer = await startAuthorizer(t);
  authorizer.says = (response, { headers }) => response.writeHead(headers.authorization === 'good' ? 200 : 403).end();
  const proxy = await asksFirst(t, { url: authorizer.url, remember: { for: '10m', by: ['header:Authorization'] } });
  const get = async (path: string, authorization: string) => (await hear(`${proxy.url}${path}`, { headers: { authorization } })).status;
  assert.deepEqual([await get('/a', 'good'), await get('/b?c', 'good')], [200, 200]);
  assert.deepEqual([await get('/a', 'bad'), await get('/b', 'bad')], [403, 403]);
  assert.equal(authorizer.asked.length, 2);
});

test('an answer that is for one request alone is given to no other, not even to one that waited with it', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, {
    url: authorizer.url,
    relay: { fields: ['set-cookie'] },
    remember: { for: '10m' },
  });
  let number = 0;
  authorizer.says = (response) => response.writeHead(401, { 'set-cookie': `visit=${(number += 1)}` }).end();
  const cookies = await Promise.all(Array.from({ length: 5 }, async () => (await hear(proxy.url)).headers.get('set-cookie')));
  assert.equal(new Set(cookies).size, 5, cookies.join(' '));
  authorizer.says = (response) => response.writeHead(200, { 'cache-control': 'private, no-store' }).end();
  const before = authorizer.asked.length;
  for (let i = 0; i < 2; i += 1) assert.equal((await hear(proxy.url)).status, 200);
  assert.equal(authorizer.asked.length, before + 2);
});

test('what nobody can say is not remembered', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, { url: authorizer.url, remember: { for: '10m' } });
  authorizer.says = (response) => response.writeHead(500).end();
  assert.equal((await hear(proxy.url)).status, 503);
  authorizer.says = (response) => response.end();
  assert.equal((await hear(proxy.url)).status, 200);
});

test('a slow authorizer gets no more questions at a time than it has connections, and no more requests wait than may', async (t) => {
  const authorizer = await startAuthorizer(t);
  const held: ServerResponse[] = [];
  authorizer.says = (response) => void held.push(response);
  const proxy = await asksFirst(t, { url: authorizer.url, connections: 2, waiting: 4, timeout: '60s' });
  const answers = Array.from({ length: 4 }, async () => (await hear(proxy.url)).status);
  await until(() => held.length === 2, 'two are asked');
  const refused = await Promise.all(Array.from({ length: 5 }, async () => (await hear(proxy.url)).said['code']));
  assert.deepEqual(refused, Array(5).fill('authorizer_unavailable'));
  assert.equal(authorizer.connections.size, 2);
  for (let released = 0; released < 4; released += 1) {
    await until(() => held.length > released, 'the next one is asked');
    held[released]?.end();
  }
  assert.deepEqual(await Promise.all(answers), [200, 200, 200, 200]);
  assert.equal(authorizer.asked.length, 4);
});

function decisionsOf(authorizer: Authorizer, clock: ManualClock): Decisions {
  return new Decisions({
    questions: new HttpQuestions({ url: authorizer.url, ca: null, timeoutMs: 500, patience: 5 }, clock),
    clock,
    take: [],
    relay: { statuses: new Set([403]), fields: [], bodyBytes: 65_536 },
    rememberMs: 5000,
    count: () => undefined,
  });
}

const questions = new Questions([], []);
const about = (path: string) => questions.of(aRequest({ path }))?.[0] ?? assert.fail('one reading');

test('a decision is asked for again when its time is over', async (t) => {
  const clock = new ManualClock();
  const authorizer = await startAuthorizer(t);
  const decisions = decisionsOf(authorizer, clock);
  for (const [passedMs, asked] of [
    [0, 1],
    [4999, 1],
    [1, 2],
  ] as const) {
    clock.advance(passedMs);
    assert.deepEqual(await decisions.about(about('/a')), { set: [] });
    assert.equal(authorizer.asked.length, asked);
  }
});

test('refusals with long bodies are forgotten before they fill the memory, the oldest first', async (t) => {
  const authorizer = await startAuthorizer(t);
  authorizer.says = (response) => response.writeHead(403).end('x'.repeat(65_536));
  const decisions = decisionsOf(authorizer, new ManualClock());
  for (let i = 0; i < 130; i += 1) await decisions.about(about(`/${i}`));
  assert.equal(authorizer.asked.length, 130);
  await decisions.about(about('/129'));
  assert.equal(authorizer.asked.length, 130);
  await decisions.about(about('/0'));
  assert.equal(authorizer.asked.length, 131);
});

test('after five questions in a row without an answer nobody waits for a second; one among others is no reason', async (t) => {
  const clock = new ManualClock();
  const authorizer = await startAuthorizer(t);
  const decisions = decisionsOf(authorizer, clock);
  const hangs = (): void => void (authorizer.says = () => undefined);
  const inVain = async (path: string): Promise<void> => {
    const before = authorizer.asked.length;
    const decision = decisions.about(about(path));
    await until(() => authorizer.asked.length > before, 'it is asked');
    clock.advance(500);
    assert.equal(await decision, 'no answer in time');
  };
  hangs();
  for (let i = 0; i < 4; i += 1) await inVain(`/a${i}`);
  authorizer.says = (response) => response.end();
  assert.deepEqual(await decisions.about(about('/b')), { set: [] });
  hangs();
  for (let i = 0; i < 5; i += 1) await inVain(`/c${i}`);
  assert.equal(await decisions.about(about('/d')), 'it did not answer a moment ago');
  clock.advance(1000);
  authorizer.says = (response) => response.end();
  assert.deepEqual(await decisions.about(about('/d')), { set: [] });
});
