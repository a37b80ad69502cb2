// Requests that are signed with a shared secret: what was signed gets on, once and in time, and nothing that differs from it.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { UsedOnce } from '../../../../balancer/filter/authenticate/used-once.ts';
import { SigningSecrets } from '../../../../balancer/filter/authenticate/signing-secrets.ts';
import { problemsWith } from '../../../support/filter-options.ts';
import { startH2Origin } from '../../../support/h2-origin.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { startOrigin, startRawOrigin } from '../../../support/origin.ts';
import { startProxy, type Proxy } from '../../../support/proxy.ts';
import { connectRaw } from '../../../support/raw-client.ts';
import { send, signed, unsigned, type Sent, type Signer } from '../../../support/signed-request.ts';
import { until } from '../../../support/until.ts';

const SECRET = 'a secret of thirty-two characters';
const ACME: Signer = { user: 'acme 1', secret: SECRET };

async function guarded(t: TestContext, hmac: object = {}, endpoint?: string): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-hmac-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'secret');
  writeFileSync(file, `${SECRET}\n`);
  const origin = await startOrigin(t, (request, response) => {
    void text(request).then((body) => response.end(JSON.stringify({ ...request.headers, body })));
  });
  const signingKeys = [
    { id: 'acme 1', secret: { file } },
    { id: 'lost', secret: { env: 'WEIR_TEST_NO_SUCH_SECRET' } },
  ];
  return startProxy(t, {
    endpoints: [endpoint ?? origin.endpoint],
    parts: { consumers: { acme: { groups: ['partners'], signingKeys } } },
    route: { filters: [{ authenticate: { hmac } }] },
  });
}

const later = (ms: number): string => new Date(Date.now() + ms).toUTCString();

test('what is signed in any of the ways that programs do it gets on, and the cluster hears who it is', async (t) => {
  const proxy = await guarded(t);
  const plain = unsigned(proxy.port, { target: '/orders?a=b&c' });
  const post = unsigned(proxy.port, { method: 'POST', target: '/orders', body: 'two of them' });
  const digest = `MD5=unknown, SHA-256=${hash('sha256', 'two of them', 'base64')}`;
  const old = { ...post, headers: { host: post.headers['host'] ?? '', date: later(0), digest } };
  const browser = { ...plain, headers: { host: plain.headers['host'] ?? '', 'x-date': later(0), 'x-nonce': '7' } };
  const ways: readonly [Sent, Signer][] = [
    [plain, ACME],
    [plain, { ...ACME, parts: ['date', 'request-line', 'host'] }],
    [plain, { ...ACME, algorithm: 'hmac-sha384' }],
    [plain, { ...ACME, algorithm: 'hmac-sha512' }],
    [browser, ACME],
    [post, ACME],
    [old, ACME],
  ];
  for (const [index, [sent, signer]] of ways.entries()) {
    const { status, said } = await send(proxy.port, signed(sent, signer));
    assert.equal(status, 200, `way ${index}: ${JSON.stringify(said)}`);
    assert.deepEqual([said['x-consumer'], said['x-consumer-groups'], said['authorization']], ['acme', 'partners', undefined]);
    assert.equal(said['body'], sent.body);
  }
});

test('what differs in anything from what was signed is refused, and what is signed too little, too early or too late', async (t) => {
  const proxy = await guarded(t);
  const get = unsigned(proxy.port, { target: '/orders?a=b' });
  const post = unsigned(proxy.port, { method: 'POST', target: '/orders', body: 'two of them' });
  const good = signed(get, ACME);
  const authorization = good.headers['authorization'] ?? '';
  const withDate = (date: string): Sent => signed({ ...get, headers: { ...get.headers, date } }, ACME);
  const carrying = (text: string): Sent => ({ ...get, headers: { ...get.headers, authorization: text } });
  const refused: Readonly<Record<string, Sent>> = {
    'another path': { ...good, target: '/orders/1?a=b' },
    'another query': { ...good, target: '/orders?a=c' },
    'an empty query more': { ...signed({ ...get, target: '/orders' }, ACME), target: '/orders?' },
    'another method': { ...good, method: 'DELETE' },
    'another date': { ...good, headers: { ...good.headers, date: later(2000) } },
    'another host': { ...good, headers: { ...good.headers, host: 'other.example' } },
    'another secret': signed(get, { ...ACME, secret: 'guessed' }),
    'another user': signed(get, { ...ACME, user: 'nobody' }),
    'the secret of nobody': signed(get, { user: 'nobody', secret: 'nobody' }),
    'an algorithm that is not allowed': signed(get, { ...ACME, algorithm: 'hmac-sha1' }),
    'another algorithm': carrying(authorization.replace('hmac-sha256', 'hmac-sha512')),
    'a date of long ago': withDate(later(-302_000)),
    'a date of tomorrow': withDate(later(302_000)),
    'a date that is none': withDate('2026-11-21T10:00:00Z'),
    'no date': signed(get, { ...ACME, parts: ['@request-target', 'host'] }),
    'no target': signed(get, { ...ACME, parts: ['date', 'host'] }),
    'no host': signed(get, { ...ACME, parts: ['date', '@request-target'] }),
    'a field that is not there': signed(get, { ...ACME, parts: ['date', '@request-target', 'host', 'x-plan'] }),
    'a part twice': signed(get, { ...ACME, parts: ['date', '@request-target', 'host', 'host'] }),
    'a body that is not signed': signed(post, { ...ACME, parts: ['date', '@request-target', 'host'] }),
    'a digest that is none': signed({ ...post, headers: { ...post.headers, 'content-digest': 'sha-256=:AAAA:' } }, ACME),
    'a digest of a weak kind': signed({ ...post, headers: { ...post.headers, 'content-digest': 'md5=:AAAA:' } }, ACME),
    'a body that was taken away': { ...signed(post, ACME), body: '' },
    'a signature that is none': carrying(authorization.replace(/signature="[^"]*"/, 'signature="-"')),
    'no signature': carrying(authorization.replace(/, signature=.*/, '')),
    'two users': carrying(`${authorization}, username="acme 1"`),
    'something behind it': carrying(`${authorization} and more`),
    'nothing but the word': carrying('hmac x'),
    'very much': carrying(`hmac username="${'a'.repeat(5000)}", ${authorization.slice(5)}`),
  };
  for (const [what, sent] of Object.entries(refused)) {
    const { status, said, challenge } = await send(proxy.port, sent);
    assert.deepEqual([status, said['code']], [401, 'credentials_invalid'], what);
    assert.equal(challenge, 'hmac headers="date @request-target host"');
  }
  assert.equal((await send(proxy.port, good)).status, 200);
  assert.equal((await send(proxy.port, get)).said['code'], 'credentials_missing');
  const lost = await send(proxy.port, signed(get, { user: 'lost', secret: SECRET }));
  assert.deepEqual([lost.status, lost.said['code']], [503, 'authentication_unavailable']);
});

test('the origin never gets the end of a body that is not the one that was signed', async (t) => {
  const origin = await startRawOrigin(t, () => undefined);
  const proxy = await guarded(t, {}, origin.endpoint);
  const bytes = 100_000;
  const post = signed(unsigned(proxy.port, { method: 'PUT', target: '/file', body: 'a'.repeat(bytes) }), ACME);
  const client = await connectRaw(t, proxy.port);
  const head = Object.entries(post.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  client.send(`PUT /file HTTP/1.1\r\n${head.join('')}content-length: ${bytes}\r\nconnection: close\r\n\r\n`);
  client.send('a'.repeat(bytes - 1));
  await until(() => (origin.connections[0]?.received.length ?? 0) > bytes, 'the origin has got what came so far');
  const ended = new Promise((resolve) => origin.connections[0]?.socket.once('end', resolve).once('close', resolve));
  client.send('b');
  const answer = await client.untilClosed();
  assert.match(answer, /^HTTP\/1\.1 400 [^]*"code":"body_digest_wrong"/);
  await ended;
  const received = origin.connections[0]?.received ?? '';
  assert.match(received, /\r\ntransfer-encoding: chunked\r\n/);
  assert.doesNotMatch(received, /\r\n0\r\n/);
});

test('over HTTP/2 the stream of such a body is reset before it ends', async (t) => {
  const ended: string[] = [];
  const origin = await startH2Origin(t, ({ stream }) => {
    stream.on('data', () => undefined);
    stream.once('end', () => ended.push('end'));
    stream.once('aborted', () => ended.push('aborted'));
  });
  const proxy = await guarded(t, {}, origin.endpoint);
  const put = unsigned(proxy.port, { method: 'PUT', target: '/file', body: 'a'.repeat(100_000) });
  const { status, said } = await send(proxy.port, { ...signed(put, ACME), body: `${put.body.slice(1)}b` });
  assert.deepEqual([status, said['code']], [400, 'body_digest_wrong']);
  await until(() => ended.length > 0, 'the origin has heard of it');
  assert.equal(ended[0], 'aborted');
});

test('with body: ignore a body may be another one, and need not be signed', async (t) => {
  const proxy = await guarded(t, { body: 'ignore' });
  const post = unsigned(proxy.port, { method: 'POST', target: '/orders', body: 'two of them' });
  assert.equal((await send(proxy.port, { ...signed(post, ACME), body: 'another two' })).said['body'], 'another two');
  const parts = ['date', '@request-target', 'host'];
  assert.equal((await send(proxy.port, signed({ ...post, target: '/more' }, { ...ACME, parts }))).status, 200);
});

test('a request that changes something is good once, others as often as the file says', async (t) => {
  const twice = async (proxy: Proxy, sent: Sent): Promise<readonly number[]> => [
    (await send(proxy.port, sent)).status,
    (await send(proxy.port, sent)).status,
  ];
  const of = (proxy: Proxy, method: string, headers: Record<string, string> = {}): Sent =>
    signed(unsigned(proxy.port, { method, target: '/orders', headers }), ACME);
  const plain = await guarded(t);
  assert.deepEqual(await twice(plain, of(plain, 'GET')), [200, 200]);
  assert.deepEqual(await twice(plain, of(plain, 'DELETE')), [200, 401]);
  assert.deepEqual(await twice(plain, of(plain, 'DELETE', { 'x-nonce': '1' })), [200, 401]);
  assert.equal(
    (await send(plain.port, of(plain, 'DELETE', { 'x-nonce': '2' }))).status,
    200,
    'another field that is signed makes another request',
  );
  const unsafe = signed(unsigned(plain.port, { headers: { 'x-http-method-override': 'DELETE' } }), ACME);
  assert.deepEqual(await twice(plain, unsafe), [200, 401], 'some origins take it for a DELETE');
  const never = await guarded(t, { repeat: 'never' });
  assert.deepEqual(await twice(never, of(never, 'GET')), [200, 401]);
  const always = await guarded(t, { repeat: 'always', headers: ['date'], skew: '1h' });
  const long = unsigned(always.port, { method: 'DELETE', headers: { date: later(-3_500_000) } });
  assert.deepEqual(await twice(always, signed(long, { ...ACME, parts: ['date'] })), [200, 200]);
});

test('what was shown is known again until its time is over, and the oldest is forgotten when there is too much', () => {
  const clock = new ManualClock();
  const used = new UsedOnce(clock, 3);
  const untilMs = clock.wallMs() + 1000;
  assert.deepEqual([used.take('a', untilMs), used.take('a', untilMs), used.take('b', untilMs)], [true, false, true]);
  clock.advance(999);
  assert.equal(used.take('a', untilMs), false);
  clock.advance(1);
  assert.equal(used.take('a', untilMs + 1000), true);
  for (const text of ['c', 'd']) used.take(text, untilMs + 1000);
  assert.equal(used.take('a', untilMs + 1000), false);
  used.take('e', untilMs + 1000);
  assert.equal(used.take('a', untilMs + 1000), true);
});

test('a secret that was replaced is noticed within seconds', () => {
  const clock = new ManualClock();
  let text: string | null = 'old';
  const secrets = new SigningSecrets(() => text, clock);
  const reference = { env: 'SECRET' };
  assert.equal(secrets.get(reference), 'old');
  text = 'new';
  clock.advance(4999);
  assert.equal(secrets.get(reference), 'old');
  clock.advance(1);
  assert.equal(secrets.get(reference), 'new');
});

test('a file with a weak algorithm, a long skew or one id for two consumers is refused', () => {
  const problems = (options: string, consumers = '{}'): readonly string[] =>
    problemsWith(`{ hmac: ${options} }`, `consumers: ${consumers}\n`).map((problem) =>
      problem.replace('routes[0].filters[0].authenticate.hmac.', ''),
    );
  assert.deepEqual(problems('{}'), []);
  assert.deepEqual(problems('{ skew: 2h }'), ['skew: is more than 1h; a request that somebody has seen would be good for so long']);
  assert.match(problems('{ algorithms: [hmac-sha1] }').join('\n'), /^algorithms\[0\]: .*expected hmac-sha256, hmac-sha384 or hmac-sha512/);
  const key = '{ signingKeys: [{ id: a, secret: { env: A } }] }';
  assert.deepEqual(problems('{}', `{ acme: ${key}, other: ${key} }`), [
    'consumers.other.signingKeys[0].id: belongs to consumer "acme" already; expected a credential that nobody else has',
  ]);
  const planted = 'a-secret-that-was-put-here';
  assert.doesNotMatch(problems('{}', `{ acme: { signingKeys: [{ id: a, secret: ${planted} }] } }`).join('\n'), new RegExp(planted));
});
