// Secrets that stand out, in every place that has one: a real host goes through good and bad requests and commands, and nothing it writes has any.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SignJWT } from 'jose';
import { hashPassword } from '../../balancer/config/make-credential.ts';
import { logged } from '../support/access-log.ts';
import { exchange, startAppliance, type Appliance } from '../support/appliance.ts';
import { Browser } from '../support/browser.ts';
import { Canaries } from '../support/canaries.ts';
import { makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { runWeir } from '../support/command.ts';
import { aLogoutToken, tellLogout } from '../support/logout-token.ts';
import { CLIENT, startOidcProvider, type OidcProvider } from '../support/oidc-provider.ts';
import { startOrigin } from '../support/origin.ts';
import { handshake } from '../support/raw-agent.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startSentinel } from '../support/redis-ensembles.ts';
import { startRedis } from '../support/redis-server.ts';
import { signedMessage } from '../support/signed-message.ts';
import { signed, unsigned, type Sent } from '../support/signed-request.ts';
import { visit } from '../support/tls-client.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

interface Planted {
  readonly canaries: Canaries;
  readonly yaml: string;
  readonly redis: string;
  readonly accessLog: string;
  readonly key: string;
  readonly password: string;
  readonly signingSecret: string;
  readonly tokenSecret: string;
  readonly provider: OidcProvider;
  /** What others were shown: who introspects tokens, hears of events and gets spans. */
  readonly shown: ReadonlyMap<string, string>;
  readonly client: { readonly cert: string; readonly key: string };
  readonly edge: TestCertificate;
}

async function plant(t: TestContext): Promise<Planted> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-canary-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'secrets'));
  const canaries = new Canaries();
  const file = (what: string, text = canaries.make(what)): string => {
    const path = join(directory, 'secrets', what);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const [pepper, tokenSecret, redisPassword] = [canaries.make('pepper'), canaries.make('token secret'), canaries.make('redis password')];
  const fleetKey = canaries.know('fleet key', randomBytes(32).toString('base64'));
  const server = await startRedis(t, [`requirepass ${redisPassword}`]);
  const sentinelPassword = canaries.make('sentinel password');
  const guarded = [`requirepass ${sentinelPassword}`, `sentinel auth-pass main ${redisPassword}`];
  const sentinel = await startSentinel(t, server.port, 1, guarded);
  const [authority, site] = ['authority.example', 'shop.example'].map((name) => makeCertificate(directory, { names: [name] }));
  assert.ok(authority !== undefined && site !== undefined);
  const client = makeCertificate(directory, { names: ['client.example'], ca: authority });
  const edge = makeCertificate(directory, { names: ['edge.example'], ca: authority });
  const gateway = makeCertificate(directory, { names: ['127.0.0.1'], ca: authority });
  const demanding = { cert: gateway.pem, key: readFileSync(gateway.key), ca: authority.pem, requestCert: true, rejectUnauthorized: true };
  const origin = await startOrigin(t, (_request, response) => response.end('ok'), { tls: demanding });
  for (const [what, { key }] of Object.entries({ 'site key': site, 'client key': client, 'key for a cluster': edge }))
    canaries.know(what, readFileSync(key, 'utf8').split('\n')[1] ?? '');
  const key = `acme_7f3a9c01be22.${canaries.make('key')}`;
  const password = canaries.make('password');
  const signingSecret = canaries.make('signing secret');
  const passwordHash = hashPassword(password);
  canaries.know('password hash', passwordHash.split(':').at(-1) ?? '');
  const keyHash = createHmac('sha256', pepper).update(key).digest('hex');
  canaries.know('key hash', keyHash);
  const provider = await startOidcProvider(t);
  provider.secret = canaries.make('client secret');
  const shown = new Map<string, string>();
  const others = await startOrigin(t, (request, response) => {
    shown.set(request.url ?? '', String(request.headers.authorization ?? request.headers['webhook-signature']));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ active: true, sub: 'anna' }));
  });
  const hookKey = `whsec_${canaries.know('webhook key', randomBytes(32).toString('base64'))}`;
  const login = `issuer: staff, client: "${CLIENT}", callback: /staff/login/callback, logout: /staff/logout, backChannel: /staff/ended, secret: { file: "${file('client file', provider.secret)}" }, session: { keys: { file: "${file('session keys', canaries.know('session key', randomBytes(32).toString('base64')))}" } }`;
  const accessLog = join(directory, 'access.log');
  const tls = `certificates: [{ cert: "${site.cert}", key: "${site.key}" }], clientCertificates: { mode: optional, ca: "${authority.cert}" }`;
  const yaml = `accessLog: ${accessLog}
listeners: { web: { bind: "127.0.0.1:0" }, tls: { bind: "127.0.0.1:0", tls: { ${tls} } } }
agents: { bind: "127.0.0.1:0" }
events: { webhooks: { pager: { url: "${others.endpoint}/hook", secret: { file: "${file('webhook file', hookKey)}" } } } }
tracing: { sample: 100%, export: { url: "${others.endpoint}/traces", authorization: { file: "${file('collector', `Bearer ${canaries.make('collector token')}`)}" } } }
gates: { asks: { http: { url: "${others.endpoint}/gate" }, authorization: { file: "${file('gate', `Bearer ${canaries.make('gate token')}`)}" } } }
credentials: { pepper: { file: "${file('pepper file', pepper)}" } }
consumers:
  acme:
    keys: [{ id: acme_7f3a9c01be22, hash: "hmac-sha256:${keyHash}" }]
    passwords: [{ user: anna, hash: "${passwordHash}" }]
    subjects: [anna]
    signingKeys: [{ id: acme-signs, secret: { file: "${file('signing secret', signingSecret)}" } }]
issuers:
  login: { issuer: "https://login.example", keys: { secret: { env: WEIR_TEST_TOKEN_SECRET } } }
  staff: { issuer: "${provider.issuer}", keys: { url: "${provider.issuer}/keys" } }
clusters:
  one: { endpoints: ["${origin.endpoint}"], tls: { ca: "${authority.cert}", cert: "${edge.cert}", key: "${edge.key}" } }
  gone: { endpoints: ["http://127.0.0.1:${await freePort()}"], health: none }
services:
  shop: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { one: {} } } } }
  lost: { versions: { blue: { clusters: { gone: {} } } } }
routes:
  - { service: shop, filters: [{ authenticate: { key: { query: key }, basic: {}, certificate: {}, hmac: {}, signature: {}, jwt: { issuers: [login], cookie: session, query: token } } }] }
  - { service: shop, name: staff, match: { path: /staff }, filters: [{ login: { ${login} } }] }
  - { service: shop, name: opaque, match: { path: /opaque }, filters: [{ authenticate: { introspection: { url: "${others.endpoint}/introspect", client: weir, secret: { file: "${file('introspection secret')}" } } } }] }
  - { service: lost, name: lost, match: { path: /lost } }
`;
  const sentinels = `sentinel: { name: main, nodes: ["127.0.0.1:${sentinel}"], password: { file: "${file('sentinel file', sentinelPassword)}" } }`;
  const redis = `{ ${sentinels}, password: { file: "${file('redis file', redisPassword)}" }, keyFile: "${file('fleet file', fleetKey)}" }`;
  return { canaries, yaml, redis, accessLog, key, password, signingSecret, tokenSecret, provider, shown, client, edge };
}

const token = (secret: string, expiresS: number): Promise<string> =>
  new SignJWT({ iss: 'https://login.example', sub: 'anna', exp: Math.floor(Date.now() / 1000) + expiresS })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));

/** Statuses by what was asked. */
async function ask(t: TestContext, appliance: Appliance, planted: Planted): Promise<Readonly<Record<string, number>>> {
  const { canaries, key, password, signingSecret, tokenSecret } = planted;
  const get = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    (await appliance.get(path, { headers })).status;
  const good = canaries.know('token', await token(tokenSecret, 300));
  const old = canaries.know('expired token', await token(tokenSecret, -3600));
  const wrong = canaries.make('what somebody guessed');
  const basic = (text: string): Readonly<Record<string, string>> => ({
    authorization: `Basic ${canaries.know(`basic ${text}`, Buffer.from(text).toString('base64'))}`,
  });
  const plain = unsigned(appliance.port());
  const signedBy = (user: string, secret: string): Sent['headers'] => signed(plain, { user, secret }).headers;
  const messageBy = (keyId: string, secret: string): Sent['headers'] => signedMessage(plain, { keyId, key: secret }).headers;
  const raw = async (text: string): Promise<number> => {
    const client = await connectRaw(t, appliance.port());
    client.send(text);
    return Number((await client.untilClosed()).slice(9, 12));
  };
  const withCertificate = await visit({
    port: appliance.port('tls'),
    servername: 'shop.example',
    cert: readFileSync(planted.client.cert),
    key: readFileSync(planted.client.key),
  });
  return {
    key: await get('/', { 'x-api-key': key }),
    'key in the query': await get(`/?key=${key}`),
    'wrong key': await get('/', { 'x-api-key': `acme_7f3a9c01be22.${wrong}` }),
    'wrong key in the query': await get(`/?a=b&key=${wrong}`),
    'two keys': await get(`/?key=${key}`, { 'x-api-key': key }),
    password: await get('/', basic(`anna:${password}`)),
    'wrong password': await get('/', basic(`anna:${wrong}`)),
    'password for a user': await get('/', basic(`${password}:anna`)),
    'a signed request': await get('/', signedBy('acme-signs', signingSecret)),
    'signed by a guess': await get('/', signedBy('acme-signs', wrong)),
    'signed by a secret for a user': await get('/', signedBy(signingSecret, wrong)),
    'a signed message': await get('/', messageBy('acme-signs', signingSecret)),
    'a message with a secret for a key': await get('/', messageBy(signingSecret, wrong)),
    token: await get('/', { authorization: `Bearer ${good}` }),
    'token in the query': await get(`/?token=${good}`),
    'token in a cookie': await get('/', { cookie: `session=${good}; other=${wrong}` }),
    'old token': await get('/', { authorization: `Bearer ${old}` }),
    'no token': await get('/', { authorization: `Bearer ${wrong}` }),
    'an opaque token': await get('/opaque', { authorization: `Bearer ${canaries.make('opaque token')}` }),
    'another cookie': await get('/', { cookie: `session=${wrong}` }),
    certificate: withCertificate.status,
    'lost on the way': await get(`/lost?key=${key}&token=${good}`, { authorization: `Bearer ${good}`, cookie: `session=${wrong}` }),
    'a bad version': await raw(`GET /?key=${key} HTTP/9.9\r\nHost: a\r\nX-Api-Key: ${key}\r\n\r\n`),
    'a bad field': await raw(`GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key : ${key}\r\n\r\n`),
    'a bad host': await raw(`GET / HTTP/1.1\r\nHost: ${wrong}@a\r\nAuthorization: Bearer ${good}\r\nConnection: close\r\n\r\n`),
    'a bad target': await raw(`GET ${key} HTTP/1.1\r\nHost: a\r\n\r\n`),
    'a bad path': await raw(`GET /\\?key=${key} HTTP/1.1\r\nHost: a\r\n\r\n`),
  };
}

const ASKED = {
  key: 200,
  'key in the query': 200,
  'wrong key': 401,
  'wrong key in the query': 401,
  'two keys': 401,
  password: 200,
  'wrong password': 401,
  'password for a user': 401,
  'a signed request': 200,
  'signed by a guess': 401,
  'signed by a secret for a user': 401,
  'a signed message': 200,
  'a message with a secret for a key': 401,
  token: 200,
  'token in the query': 200,
  'token in a cookie': 200,
  'old token': 401,
  'no token': 401,
  'an opaque token': 200,
  'another cookie': 401,
  certificate: 401,
  'lost on the way': 502,
  'a bad version': 505,
  'a bad field': 400,
  'a bad host': 400,
  'a bad target': 400,
  'a bad path': 400,
};

/** Statuses of what a browser asks that signs in, and of what somebody tries who has copied from it. */
async function signIn(appliance: Appliance, { canaries, provider }: Planted): Promise<readonly number[]> {
  const [browser, url] = [new Browser(), (path: string): string => appliance.url() + path];
  provider.expiresS = 20;
  const begun = await browser.step(url('/staff'));
  const asked = new URL(begun.headers.location ?? '').searchParams;
  for (const name of ['state', 'nonce', 'code_challenge']) canaries.know(`${name} of a login`, asked.get(name) ?? '');
  const keep = (): void => {
    for (const [name, { value }] of browser.cookies) canaries.know(`${name} ${value.slice(-8)}`, value.replace(/^1\./, ''));
    for (const name of ['access_token', 'refresh_token', 'id_token'])
      canaries.know(`${name} ${canaries.size}`, String(provider.given[name]));
  };
  for (const { value } of browser.cookies.values()) canaries.know('cookie of a login', value);
  const back = await browser.step(begun.headers.location ?? '');
  const callback = new URL(back.headers.location ?? '');
  canaries.know('code', callback.searchParams.get('code') ?? '');
  const thief = await new Browser().step(callback.href);
  const signedIn = await browser.step(callback.href);
  keep();
  const refreshed = await browser.fetch(url('/staff'));
  keep();
  canaries.know('verifier', provider.asked[0]?.['code_verifier'] ?? '');
  const tokens = [
    await aLogoutToken(provider, { claims: { sub: 'nobody' } }),
    await aLogoutToken(provider),
    canaries.make('no token at all'),
  ];
  const told = [];
  for (const one of tokens) told.push(await tellLogout(url('/staff/ended'), canaries.know(`logout token ${canaries.size}`, one)));
  provider.lockOut();
  const guessed = await new Browser().ask(url('/staff'), {
    headers: { cookie: `weir_session=1.${canaries.make('cookie that was made up')}` },
  });
  const lockedOut = await browser.fetch(url('/staff'));
  const wrong = await browser.fetch(
    url(`/staff/login/callback?code=${canaries.make('code that was made up')}&state=${canaries.make('state that was made up')}`),
  );
  return [begun, thief, signedIn, refreshed, guessed, lockedOut, wrong, ...told].map(({ status }) => status);
}

/** What commands say; those that show a secret once have it taken out. */
async function command(appliance: Appliance, { canaries, edge }: Planted): Promise<string> {
  let said = '';
  const run = async (...args: readonly string[]): Promise<void> => {
    const { stdout, stderr, code } = await appliance.weir(...args);
    assert.equal(code, 0, `weir ${args.join(' ')}: ${stderr}`);
    said += `${stdout}${stderr}\n`;
  };
  const made = await appliance.weir('token', 'create', 'operator', '--role', 'operate');
  canaries.know('token of an operator', made.stdout.trim());
  assert.match(made.stdout, /^\S{20,}\n$/);
  const agent = await appliance.weir('agent', 'token', 'one');
  canaries.know('token of an agent', agent.stdout.trim());
  await handshake(appliance.port('agents'), '/v1/agents/one', `Bearer ${canaries.make('what an agent guessed')}`);
  await handshake(appliance.port('agents'), `/v1/agents/one?token=${canaries.make('what an agent wrote into the URL')}`, null);
  const guessed = canaries.make('what somebody guessed for the API');
  for (const path of ['/v1/status', '/v1/tokens', '/nothing'])
    await exchange(new URL(path, `http://127.0.0.1:${appliance.port('admin')}`), {
      agent: false,
      headers: { authorization: `Bearer ${guessed}`, cookie: `token=${guessed}` },
    });
  await run('shift', 'shop', 'green=30', '--yes', '--reason', 'more of it');
  await run('undo', '--yes');
  for (const kind of ['clusters', 'services', 'routes', 'edges', 'workers', 'agents', 'events', 'local', 'rollouts', 'tokens']) {
    const { status, body } = await exchange(new URL(`/v1/${kind}`, 'http://localhost'), { socketPath: appliance.socketPath, agent: false });
    assert.equal(status, 200, kind);
    said += body;
  }
  await run('get', 'revisions', '-o', 'json');
  await run('describe', 'cluster', 'one');
  await run('status', '-o', 'json');
  await run('audit', '-o', 'json');
  await run('history', '-o', 'json');
  await run('diff', '1', '2', '-o', 'json');
  appliance.rewrite((yaml) => yaml.replace('subjects: [anna]', 'subjects: [anna, otto]'));
  await run('config', 'apply', appliance.configFile);
  await run('audit', '-o', 'json');
  // A key that is none: those who try to read it may not say what stands there.
  const key = join(appliance.directory, 'broken.key');
  writeFileSync(key, `-----BEGIN PRIVATE KEY-----\n${canaries.make('broken key for a cluster')}\n-----END PRIVATE KEY-----\n`);
  const cluster = `  broken: { endpoints: ["https://127.0.0.1:1"], health: none, tls: { cert: "${edge.cert}", key: "${key}" } }\n`;
  appliance.rewrite((yaml) => yaml.replace('  gone:', `${cluster}  gone:`));
  const broken = await appliance.weir('config', 'apply', appliance.configFile);
  said += broken.stdout + broken.stderr;
  assert.notEqual(broken.code, 0);
  assert.match(broken.stderr, /cluster broken/);
  return said;
}

/** What is in the archive for who helps, by file. */
async function bundle(appliance: Appliance): Promise<Readonly<Record<string, string>>> {
  const archive = join(appliance.directory, 'bundle.tar.gz');
  const { code, stdout, stderr } = await appliance.weir('debug', 'bundle', '--file', archive);
  assert.equal(code, 0, stderr);
  const unpacked = join(appliance.directory, 'bundle');
  mkdirSync(unpacked);
  execFileSync('tar', ['xzf', archive, '-C', unpacked]);
  const names = readdirSync(unpacked);
  for (const name of ['weir.yaml', 'status.json', 'revisions.json', 'events.json']) assert.ok(names.includes(name), name);
  const texts = names.map((name) => [`${name} of the archive`, readFileSync(join(unpacked, name), 'utf8')] as const);
  return { ...Object.fromEntries(texts), 'what was said of the archive': stdout + stderr };
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('nothing a host writes has a secret in it', async (t) => {
  const planted = await plant(t);
  const { canaries, yaml, redis, accessLog, tokenSecret, shown } = planted;
  const appliance = await startAppliance(t, { yaml, redis, env: { WEIR_TEST_TOKEN_SECRET: tokenSecret }, untilProbed: true });
  assert.deepEqual(await ask(t, appliance, planted), ASKED);
  assert.deepEqual(await signIn(appliance, planted), [302, 400, 303, 200, 401, 401, 400, 200, 400, 400]);
  const said = await command(appliance, planted);
  const answer = await appliance.get('/', { headers: { 'x-api-key': `acme_7f3a9c01be22.${canaries.make('told to nobody')}` } });
  const explained = await appliance.weir('explain', String(answer.headers['x-request-id']), '-o', 'json');
  await until(() => logged(accessLog).split('\n').length > Object.keys(ASKED).length, 'all lines are written');
  // Secrets that weir shows to others were in use.
  await until(() => ['/introspect', '/hook', '/traces'].every((place) => shown.has(place)), 'all others were asked', 20_000);
  assert.match([...shown.values()].join(), /Basic .*v1,|v1,.*Basic /s);
  const written: Record<string, string> = {
    'what it answered': JSON.stringify(answer),
    'what commands said': said + explained.stdout + explained.stderr,
    'the access log': readFileSync(accessLog, 'utf8'),
    'the metrics': await appliance.metrics(),
  };
  const { supervisor, controller, workers } = appliance.pids();
  for (const pid of [supervisor, controller, ...workers]) written[`arguments of ${pid}`] = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  Object.assign(written, await bundle(appliance));
  assert.deepEqual(await appliance.stop(), { code: 0, signal: null });
  written['the log'] = appliance.log;
  // By the Sentinel, which wants its password; the requests above came to a cluster that wants the certificate.
  assert.match(written['the log'], /the fleet is reached/);
  const leaks = Object.entries(written).flatMap(([where, text]) => canaries.in(text).map((what) => `${what} in ${where}`));
  assert.deepEqual(leaks, []);
  // The store has the config, and hashes are what stands there.
  const inState = filesBelow(join(appliance.directory, 'state')).flatMap((file) => canaries.in(readFileSync(file, 'latin1')));
  assert.deepEqual([...new Set(inState)], ['password hash', 'key hash']);
  // The search finds what is there.
  assert.deepEqual(canaries.in(readFileSync(appliance.configFile, 'utf8')), ['password hash', 'key hash']);
});

test('a file that has a secret where only a reference or a hash may stand is refused without repeating it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-canary-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const canaries = new Canaries();
  const file = join(directory, 'weir.yaml');
  writeFileSync(
    file,
    `version: 1
state: { redis: { url: "redis://:${canaries.make('password in a URL')}@127.0.0.1:6379", password: ${canaries.make('redis password')}, keyFile: /none } }
listeners: { web: { bind: "127.0.0.1:0" } }
clusters: { one: { endpoints: ["http://anna:${canaries.make('password of an endpoint')}@127.0.0.1:1"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
credentials: { pepper: ${canaries.make('pepper')} }
consumers:
  acme:
    keys: [{ id: "acme_1.${canaries.make('key for an id')}", hash: "${canaries.make('key for a hash')}" }]
    passwords: [{ user: "anna:${canaries.make('password behind a user')}", hash: ${canaries.make('password for a hash')} }]
issuers:
  login: { issuer: a, keys: { secret: ${canaries.make('token secret')} } }
  other: { issuer: b, keys: { url: "https://anna:${canaries.make('password of an issuer')}@login.example/keys" } }
`,
  );
  const { code, stdout, stderr } = await runWeir(['check', file]);
  assert.equal(code, 1);
  for (const place of ['state.redis.password', 'credentials.pepper', 'keys[0].hash', 'keys[0].id', 'login.keys.secret'])
    assert.ok((stdout + stderr).includes(place), `${place} is not named in ${stdout}${stderr}`);
  assert.deepEqual(canaries.in(stdout + stderr), []);
});
