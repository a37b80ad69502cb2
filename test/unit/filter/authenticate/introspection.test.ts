// Tokens that say nothing by themselves: a real worker asks a real authorization server, once, and lets nobody on when it does not answer.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { HttpQuestions } from '../../../../balancer/filter/http-questions.ts';
import { IntrospectedTokens } from '../../../../balancer/filter/authenticate/introspected-tokens.ts';
import { problemsWith } from '../../../support/filter-options.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { startOrigin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../../support/proxy.ts';
import { aKey, aToken } from '../../../support/token-issuer.ts';
import { until } from '../../../support/until.ts';

const inFiveMinutes = (): number => Math.floor(Date.now() / 1000) + 300;

interface Server {
  readonly url: string;
  /** What was asked, as fields of the form. */
  readonly asked: URLSearchParams[];
  readonly requests: IncomingMessage[];
  /** Sockets it was asked over. */
  readonly connections: Set<unknown>;
  answer: (token: string, response: ServerResponse) => void;
}

/** Answers with what it is told about each token; of others it says that they are not active. */
async function startServer(t: TestContext, known: Readonly<Record<string, object>> = {}): Promise<Server> {
  const server: Omit<Server, 'url'> & { url: string } = {
    ...{ url: '', asked: [], requests: [], connections: new Set() },
    answer: (token, response) => response.end(JSON.stringify(known[token] ?? { active: false })),
  };
  const origin = await startOrigin(t, (request, response) => {
    server.requests.push(request);
    server.connections.add(request.socket);
    void text(request).then((body) => {
      const form = new URLSearchParams(body);
      server.asked.push(form);
      server.answer(form.get('token') ?? '', response);
    });
  });
  server.url = `${origin.endpoint}/introspect?realm=shop`;
  return server;
}

async function guarded(t: TestContext, server: Server, options: object = {}, more: object = {}): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-secret-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'secret');
  writeFileSync(file, 'p:a ss\n');
  const origin = await startOrigin(t, (request, response) => response.end(JSON.stringify(request.headers)));
  const introspection = { url: server.url, client: 'weir edge', secret: { file }, ...options };
  return startProxy(t, {
    endpoints: [origin.endpoint],
    parts: { consumers: { acme: { groups: ['partners'], subjects: ['anna'] } } },
    route: { filters: [{ authenticate: { introspection, ...more } }] },
  });
}

interface Answer {
  readonly status: number;
  readonly said: Readonly<Record<string, string>>;
  readonly retryAfter: string | null;
}

async function ask(proxy: Proxy, token: string): Promise<Answer> {
  const response = await fetch(proxy.url, { headers: { authorization: `Bearer ${token}` } });
  const said = (await response.json()) as Record<string, string>;
  return { status: response.status, said, retryAfter: response.headers.get('retry-after') };
}

test('a token that the server calls active gets on with what it says, and is asked about once for all that wait', async (t) => {
  const server = await startServer(t, { good: { active: true, sub: 'anna', scope: 'read write', exp: inFiveMinutes() } });
  const proxy = await guarded(t, server, {}, {});
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(proxy, 'good')));
  assert.ok(
    answers.every(({ status, said }) => status === 200 && said['x-consumer'] === 'acme' && said['x-consumer-groups'] === 'partners'),
  );
  assert.equal(answers[0]?.said['authorization'], 'Bearer good');
  assert.deepEqual(server.asked.map(String), ['token=good&token_type_hint=access_token']);
  const [request] = server.requests;
  assert.equal(request?.url, '/introspect?realm=shop');
  // RFC 6749 section 2.3.1.
  assert.equal(Buffer.from(String(request.headers.authorization).slice(6), 'base64').toString(), 'weir+edge:p%3Aa+ss');
  await until(() => countOf(proxy, 'weir_introspections_total', 'all', 'active') === 1, 'it is counted');
});

test('a token that is not active, has expired, is for others or comes twice gets 401', async (t) => {
  const past = Math.floor(Date.now() / 1000) - 10;
  const server = await startServer(t, {
    expired: { active: true, sub: 'anna', aud: 'shop', exp: past },
    early: { active: true, sub: 'anna', aud: 'shop', nbf: inFiveMinutes() },
    odd: { active: true, sub: 'anna', aud: 'shop', exp: 'tomorrow' },
    elsewhere: { active: true, sub: 'anna', aud: ['mail', 'chat'] },
    nobody: { active: true, sub: 'otto', aud: 'shop' },
    right: { active: true, sub: 'anna', aud: ['mail', 'shop'] },
  });
  const proxy = await guarded(t, server, { audiences: ['shop'], requireConsumer: true, forward: false });
  const statuses: Record<string, number> = {};
  for (const token of ['unknown', 'expired', 'early', 'odd', 'elsewhere', 'nobody', 'x'.repeat(5000)])
    statuses[token.slice(0, 10)] = (await ask(proxy, token)).status;
  assert.deepEqual(Object.values(statuses), [401, 401, 401, 401, 401, 401, 401], JSON.stringify(statuses));
  const right = await ask(proxy, 'right');
  assert.equal(right.status, 200);
  assert.equal(right.said['authorization'], undefined);
  assert.equal(server.asked.length, 7);
});

test('what the server does not answer well, or not at all, lets nobody on and is no fault of the client', async (t) => {
  const server = await startServer(t);
  const proxy = await guarded(t, server);
  const bad: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(401).end('{"active":true}'),
    (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    (response) => response.end('active'),
    (response) => response.end('{"active":"yes"}'),
    (response) => response.end(JSON.stringify({ active: true, much: 'x'.repeat(100_000) })),
    (response) => response.destroy(),
  ];
  for (const [index, answer] of bad.entries()) {
    server.answer = (_token, response) => answer(response);
    const { status, said, retryAfter } = await ask(proxy, `token-${index}`);
    assert.deepEqual([status, said['code'], retryAfter], [503, 'authentication_unavailable', '1'], `answer ${index}`);
  }
  const before = server.asked.length;
  assert.equal((await ask(proxy, 'another')).status, 503);
  assert.equal(server.asked.length, before, 'a server that was just lost is not asked again at once');
  server.answer = (_token, response) => response.end('{"active":true}');
  await until(async () => (await ask(proxy, 'another')).status === 200, 'it is asked again');
});

test('while the server is away a token that it called active is believed for as long as the file says, not beyond its expiry, and no other', async (t) => {
  const clock = new ManualClock();
  const expiryS = Math.floor(clock.wallMs() / 1000) + 90;
  const server = await startServer(t, { short: { active: true, exp: expiryS }, long: { active: true } });
  const questions = new HttpQuestions({ url: server.url, ca: null, timeoutMs: 60_000 }, clock);
  const counted: string[] = [];
  const count = (outcome: string): void => void counted.push(outcome);
  const tokens = new IntrospectedTokens({ questions, clock, rememberMs: 60_000, staleMs: 120_000, authorization: () => 'Basic x', count });
  const found = async (token: string): Promise<'active' | 'inactive' | 'unknown'> => {
    const said = await tokens.find(token);
    return typeof said === 'string' ? 'unknown' : said === null ? 'inactive' : 'active';
  };
  assert.deepEqual([await found('short'), await found('long'), await found('none')], ['active', 'active', 'inactive']);
  server.answer = (_token, response) => response.destroy();
  clock.advance(61_000);
  assert.deepEqual([await found('short'), await found('long'), await found('none')], ['active', 'active', 'unknown']);
  clock.advance(30_000);
  assert.deepEqual([await found('short'), await found('long')], ['unknown', 'active']);
  clock.advance(90_000);
  assert.equal(await found('long'), 'unknown');
  server.answer = (_token, response) => response.end('{"active":false}');
  clock.advance(2000);
  assert.deepEqual([await found('long'), await found('short')], ['inactive', 'inactive'], 'what it says counts at once');
  assert.ok(counted.includes('stale'));
});

test('signed tokens are left to the method jwt, but where the file says all', async (t) => {
  const server = await startServer(t);
  const signed = await aToken(aKey('ES256'));
  assert.equal((await ask(await guarded(t, server), signed)).said['code'], 'credentials_missing');
  assert.equal(server.asked.length, 0);
  assert.equal((await ask(await guarded(t, server, { tokens: 'all' }), signed)).said['code'], 'credentials_invalid');
  assert.equal(server.asked.length, 1);
});

test('a token is believed for as long as the file says, and not beyond its expiry', async (t) => {
  const clock = new ManualClock();
  const expiryS = Math.floor(clock.wallMs() / 1000) + 90;
  const server = await startServer(t, { short: { active: true, exp: expiryS }, long: { active: true } });
  const questions = new HttpQuestions({ url: server.url, ca: null, timeoutMs: 60_000 }, clock);
  const tokens = new IntrospectedTokens({
    questions,
    clock,
    rememberMs: 60_000,
    staleMs: 0,
    authorization: () => 'Basic x',
    count: () => undefined,
  });
  const asks = async (token: string): Promise<readonly [asked: number, isActive: boolean]> => {
    const before = server.asked.length;
    const found = await tokens.find(token);
    return [server.asked.length - before, typeof found === 'object' && found !== null];
  };
  assert.deepEqual(
    [await asks('short'), await asks('long'), await asks('none')],
    [
      [1, true],
      [1, true],
      [1, false],
    ],
  );
  assert.deepEqual(
    [await asks('short'), await asks('long'), await asks('none')],
    [
      [0, true],
      [0, true],
      [0, false],
    ],
  );
  clock.advance(60_000);
  assert.deepEqual(
    [await asks('short'), await asks('long'), await asks('none')],
    [
      [1, true],
      [1, true],
      [1, false],
    ],
  );
  clock.advance(30_000);
  assert.deepEqual(
    [await asks('short'), await asks('long')],
    [
      [1, false],
      [0, true],
    ],
  );
  assert.ok(server.connections.size <= 2, `${server.connections.size} connections for ${server.asked.length} questions`);
});

test('a server that hangs is waited for until the time-out, and not asked again for a second', async (t) => {
  const clock = new ManualClock();
  const server = await startServer(t);
  server.answer = () => undefined;
  const questions = new HttpQuestions({ url: server.url, ca: null, timeoutMs: 2000 }, clock);
  const asked = questions.post({}, 'token=a');
  await until(() => server.asked.length === 1, 'the question has arrived');
  clock.advance(2000);
  assert.equal(await asked, 'no answer in time');
  assert.equal(await questions.post({}, 'token=b'), 'it did not answer a moment ago');
  clock.advance(1000);
  server.answer = (_token, response) => response.end('{}');
  assert.deepEqual(await questions.post({}, 'token=c'), { status: 200, body: '{}' });
});

test('a file that would send tokens in the clear or believe them for long is refused', () => {
  const problems = (options: string): readonly string[] =>
    problemsWith(`{ introspection: { client: weir, secret: { env: HOME }, ${options} } }`, '').map((problem) =>
      problem.replace('routes[0].filters[0].authenticate.introspection.', ''),
    );
  assert.deepEqual(problems('url: "https://login.example/introspect"'), []);
  assert.deepEqual(problems('url: "http://login.example/introspect"'), [
    'url: tokens would go there in the clear, and whoever is on the way could use them; write https://',
  ]);
  assert.deepEqual(problems('url: "https://login.example/introspect", remember: 1h'), [
    'remember: is more than 10m; a token that was revoked would be good for so long',
  ]);
});
