// The admin API over a real socket and real TCP: who may call, what is decoded, what a failure looks like.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createAdminApi } from '../../../../balancer/controller/api/server.ts';
import { silentLog } from '../../../../balancer/log.ts';
import { systemClock } from '../../../../health/clock.ts';
import { type AdminServer, callApi, startAdminServer } from '../../../support/admin-server.ts';
import { RecordingAppliance } from '../../../support/recording-appliance.ts';

const SHIFT = { change: { kind: 'shift', service: 'demo', percents: { green: 50 } } };

async function server(t: TestContext): Promise<AdminServer> {
  const started = await startAdminServer();
  t.after(() => started[Symbol.asyncDispose]());
  return started;
}

const tcp = ({ port }: AdminServer) => ({ host: '127.0.0.1', port });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

describe('the unix socket', () => {
  test('is private whatever the umask of the process', async (t) => {
    const mask = process.umask(0);
    t.after(() => process.umask(mask));
    const { socketPath } = await server(t);
    assert.equal(statSync(socketPath).mode & 0o777, 0o600);
    assert.equal(process.umask(0), 0, 'the mask of the process is as it was');
  });

  test('makes callers administrators and records the name they claim as a claim', async (t) => {
    const { appliance, socketPath } = await server(t);
    const answer = await callApi({ socketPath }, { method: 'POST', path: '/v1/changes', body: SHIFT, headers: { 'weir-claims': 'alice' } });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(appliance.calls[0]?.caller, { author: { name: 'alice', how: 'local, claims alice' }, role: 'admin' });
    await callApi({ socketPath }, { method: 'POST', path: '/v1/changes', body: { ...SHIFT, claims: 'bob' } });
    assert.equal(appliance.calls[1]?.caller.author.how, 'local, claims bob');
  });

  test('refuses a claim that would garble the audit', async (t) => {
    const { appliance, socketPath } = await server(t);
    const body = { ...SHIFT, claims: 'alice, token root' };
    const answer = await callApi({ socketPath }, { method: 'POST', path: '/v1/changes', body });
    assert.equal(answer.status, 422);
    assert.equal(appliance.calls.length, 0);
  });

  test('of a living process is refused, and the living one goes on', async (t) => {
    const { socketPath } = await server(t);
    const second = createAdminApi({
      appliance: new RecordingAppliance(),
      socketPath,
      bind: null,
      tls: null,
      clock: systemClock,
      log: silentLog,
    });
    await assert.rejects(second.start(), /another weir is running on this state directory/);
    assert.equal((await callApi({ socketPath }, { path: '/v1/status' })).status, 200);
  });

  test('of a process that was killed is taken over', async (t) => {
    const { directory } = await server(t);
    const socketPath = join(directory, 'left.sock');
    const script = join(directory, 'listen.mjs');
    writeFileSync(
      script,
      `import { createServer } from 'node:net';\ncreateServer().listen(process.argv[2], () => process.send('listening'));\n`,
    );
    const child = fork(script, [socketPath]);
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.ok(statSync(socketPath).isSocket(), 'the dead process has left its file');
    const api = createAdminApi({
      appliance: new RecordingAppliance(),
      socketPath,
      bind: null,
      tls: null,
      clock: systemClock,
      log: silentLog,
    });
    await api.start();
    t.after(() => api.close());
    assert.equal((await callApi({ socketPath }, { path: '/v1/status' })).status, 200);
  });

  test('never replaces a file that is no socket', async (t) => {
    const { directory } = await server(t);
    const socketPath = join(directory, 'precious');
    writeFileSync(socketPath, 'data');
    const api = createAdminApi({
      appliance: new RecordingAppliance(),
      socketPath,
      bind: null,
      tls: null,
      clock: systemClock,
      log: silentLog,
    });
    await assert.rejects(api.start(), /is in the way of the admin socket/);
    assert.equal(readFileSync(socketPath, 'utf8'), 'data');
  });

  test('is removed when the API closes', async () => {
    const started = await startAdminServer();
    await started.api.close();
    assert.equal(statSync(started.socketPath, { throwIfNoEntry: false }), undefined);
    await started[Symbol.asyncDispose]();
  });
});

describe('TCP', () => {
  test('answers nobody without a token, and tells how to get one', async (t) => {
    const started = await server(t);
    const answer = await callApi(tcp(started), { path: '/v1/status' });
    assert.equal(answer.status, 401);
    assert.equal(answer.json['code'], 'unauthorized');
    assert.match(String(answer.json['message']), /weir token create/);
    assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/);
  });

  test('holds every route to its role', async (t) => {
    const started = await server(t);
    const secrets = (['read', 'operate', 'admin'] as const).map((role) => started.appliance.secretFor(role));
    const statuses = async (method: string, path: string, body?: unknown): Promise<readonly number[]> => {
      const answers = [];
      for (const secret of secrets) answers.push((await callApi(tcp(started), { method, path, body, headers: bearer(secret) })).status);
      return answers;
    };
    assert.deepEqual(await statuses('GET', '/v1/status'), [200, 200, 200]);
    assert.deepEqual(await statuses('POST', '/v1/changes', SHIFT), [403, 200, 200]);
    assert.deepEqual(await statuses('GET', '/v1/tokens'), [403, 403, 200]);
    assert.deepEqual(await statuses('DELETE', '/v1/tokens/nobody'), [403, 403, 404]);
    assert.deepEqual(await statuses('POST', '/v1/config?dryRun=true', {}), [403, 403, 422]);
  });

  test('audits the token by its name, and lets nobody claim another', async (t) => {
    const started = await server(t);
    const headers = bearer(started.appliance.secretFor('operate'));
    await callApi(tcp(started), { method: 'POST', path: '/v1/changes', body: SHIFT, headers: { ...headers, 'weir-claims': 'root' } });
    assert.equal(started.appliance.calls[0]?.caller.author.how, 'token operate-token');
    const claimed = await callApi(tcp(started), { method: 'POST', path: '/v1/changes', body: { ...SHIFT, claims: 'root' }, headers });
    assert.equal(claimed.status, 422);
    assert.equal(started.appliance.calls.length, 1);
  });

  test('an agent token opens nothing here', async (t) => {
    const started = await server(t);
    const body = { name: 'agent-one', role: 'agent', cluster: 'one' };
    const made = await callApi(started, { method: 'POST', path: '/v1/tokens', body });
    assert.equal(made.status, 201);
    const answer = await callApi(tcp(started), { path: '/v1/status', headers: bearer(String(made.json['secret'])) });
    assert.equal(answer.status, 401);
  });

  test('slows an address down after ten bad tokens, but never a good token', async (t) => {
    const started = await server(t);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt += 1) {
      statuses.push((await callApi(tcp(started), { path: '/v1/status', headers: bearer('weir_x_wrong') })).status);
    }
    assert.deepEqual(statuses, [...new Array<number>(10).fill(401), 429]);
    const good = await callApi(tcp(started), { path: '/v1/status', headers: bearer(started.appliance.secretFor('read')) });
    assert.equal(good.status, 200);
  });

  test('on loopback does not answer to names that a browser could be tricked with', async (t) => {
    const started = await server(t);
    const headers = bearer(started.appliance.secretFor('read'));
    const as = async (host: string) => (await callApi(tcp(started), { path: '/v1/status', headers: { ...headers, host } })).status;
    assert.equal(await as('evil.example'), 421);
    assert.equal(await as('127.0.0.1.evil.example'), 421);
    assert.equal(await as(`localhost:${started.port}`), 200);
    assert.equal(await as(`127.0.0.1:${started.port}`), 200);
  });

  test('never allows another origin', async (t) => {
    const started = await server(t);
    const headers = { ...bearer(started.appliance.secretFor('read')), origin: 'https://evil.example' };
    const answer = await callApi(tcp(started), { path: '/v1/status', headers });
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
    const preflight = await callApi(tcp(started), { method: 'OPTIONS', path: '/v1/changes', headers });
    assert.equal(preflight.status, 404);
  });

  test('off loopback is refused without TLS', async (t) => {
    const { directory } = await server(t);
    const api = createAdminApi({
      appliance: new RecordingAppliance(),
      socketPath: join(directory, 'other.sock'),
      bind: { host: '0.0.0.0', port: 0 },
      tls: null,
      clock: systemClock,
      log: silentLog,
    });
    await assert.rejects(api.start(), /needs admin\.tls/);
  });

  test('on a taken port fails with the port and leaves no socket behind', async (t) => {
    const { directory } = await server(t);
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    t.after(() => blocker.close());
    const address = blocker.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const socketPath = join(directory, 'other.sock');
    const bind = { host: '127.0.0.1', port };
    const api = createAdminApi({ appliance: new RecordingAppliance(), socketPath, bind, tls: null, clock: systemClock, log: silentLog });
    await assert.rejects(api.start(), new RegExp(`admin\\.bind 127\\.0\\.0\\.1:${port} is taken`));
    assert.equal(statSync(socketPath, { throwIfNoEntry: false }), undefined);
  });
});

describe('what callers send', () => {
  const cases: readonly (readonly [name: string, body: unknown, expected: RegExp])[] = [
    ['nothing', {}, /body\.change: missing/],
    ['no object', [], /body: expected an object, got \[\]/],
    ['an unknown field', { ...SHIFT, dryrun: true }, /body: unknown field "dryrun", expected one of change, reason, dryRun/],
    ['an unknown change', { change: { kind: 'explode' } }, /body\.change\.kind: expected one of shift, .*undo, redo, got "explode"/],
    ['a field of another change', { change: { ...SHIFT.change, cluster: 'one' } }, /body\.change: unknown field "cluster"/],
    [
      'a weight that is text',
      { change: { ...SHIFT.change, percents: { green: '50' } } },
      /body\.change\.percents\.green: expected a number, got "50"/,
    ],
    ['a flag that is text', { ...SHIFT, dryRun: 'yes' }, /body\.dryRun: expected a boolean, got "yes"/],
    ['a broken line', { ...SHIFT, reason: 'a\nb' }, /body\.reason: expected one line of text/],
    ['a control sequence of eight bits', { ...SHIFT, reason: 'a\u009b31mb' }, /body\.reason: expected one line of text/],
    ['a reason that turns the direction of text', { ...SHIFT, reason: 'a\u202eb' }, /body\.reason: expected one line of text/],
    ['a fraction of a revision', { change: { kind: 'undo', to: 1.5 } }, /body\.change\.to: expected an integer or null, got 1\.5/],
    [
      'an unknown state',
      { change: { kind: 'admin', cluster: 'one', state: 'off' } },
      /expected one of active, drain, maintenance, got "off"/,
    ],
  ];
  for (const [name, body, expected] of cases) {
    test(`${name}: is refused with the field and what was expected`, async (t) => {
      const started = await server(t);
      const answer = await callApi(started, { method: 'POST', path: '/v1/changes', body });
      assert.equal(answer.status, 422, answer.text);
      assert.equal(answer.json['code'], 'usage');
      assert.match(String(answer.json['message']), expected);
      assert.equal(started.appliance.calls.length, 0);
    });
  }

  test('text that is no JSON is 400, a type that is not JSON 415, too much of it 413', async (t) => {
    const started = await server(t);
    const post = (body: string, type: string) =>
      callApi(started, { method: 'POST', path: '/v1/changes', body, headers: { 'content-type': type } });
    assert.equal((await post('{', 'application/json')).status, 400);
    assert.equal((await post('change=x', 'application/x-www-form-urlencoded')).status, 415);
    assert.equal((await post(`"${'x'.repeat(65 * 1024)}"`, 'application/json')).status, 413);
    assert.equal((await post('{"__proto__": {"x": 1}}', 'application/json')).status, 400);
  });

  test('a path that is no path has the shape of every other failure', async (t) => {
    const started = await server(t);
    for (const path of ['/v1/clusters/%zz', `/v1/clusters/${'x'.repeat(3000)}`, '/v2/status']) {
      const answer = await callApi(started, { path });
      assert.ok(answer.status >= 400 && answer.status < 500, path);
      assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/);
      assert.equal(typeof answer.json['code'], 'string');
      assert.ok(answer.text.length < 400);
    }
  });

  test('queries are decoded like bodies', async (t) => {
    const started = await server(t);
    const message = async (path: string) => (await callApi(started, { path })).json['message'];
    assert.match(String(await message('/v1/events?limit=abc')), /query\.limit: expected an integer, got "abc"/);
    assert.match(String(await message('/v1/events?limit=0')), /query\.limit: expected at least 1, got 0/);
    assert.match(String(await message('/v1/clusters?nmae=x')), /query: unknown field "nmae"/);
  });

  test('a token request has a cluster exactly when it is for an agent', async (t) => {
    const started = await server(t);
    const create = (body: unknown) => callApi(started, { method: 'POST', path: '/v1/tokens', body });
    assert.match(String((await create({ name: 'a', role: 'agent', cluster: null })).json['message']), /needs the cluster/);
    assert.match(String((await create({ name: 'a', role: 'read', cluster: 'one' })).json['message']), /expected null/);
    assert.match(String((await create({ name: 'A b', role: 'read', cluster: null })).json['message']), /lower-case letters/);
    assert.equal((await create({ name: 'a', role: 'read', cluster: null })).status, 201);
  });
});

describe('answers', () => {
  test('every list has its kind, the revision and its items, and can be asked for one of them', async (t) => {
    const started = await server(t);
    for (const [kind, name] of Object.entries({
      clusters: 'one',
      services: 'demo',
      routes: 'all',
      edges: 'edge-1',
      workers: 'worker-2',
      agents: 'two',
      revisions: '1',
    })) {
      const all = await callApi(started, { path: `/v1/${kind}` });
      assert.equal(all.json['kind'], kind);
      assert.equal(all.json['revision'], 1);
      const one = await callApi(started, { path: `/v1/${kind}/${name}` });
      assert.equal(one.status, 200, `${kind}: ${one.text}`);
      assert.equal(Array.isArray(one.json['items']) ? one.json['items'].length : 0, 1, kind);
      const none = await callApi(started, { path: `/v1/${kind}/${kind === 'revisions' ? '99' : 'nope'}` });
      assert.equal(none.status, 404, kind);
    }
  });

  test('routes can be asked for by the service that they lead to', async (t) => {
    const started = await server(t);
    const names = async (query: string): Promise<unknown> => {
      const { json } = await callApi(started, { path: `/v1/routes${query}` });
      return Array.isArray(json['items']) ? json['items'].map((item: { readonly name: string }) => item.name) : json['message'];
    };
    assert.deepEqual(await names('?service=demo'), ['all']);
    assert.deepEqual(await names('?service=lonely'), []);
    assert.match(String(await names('?services=demo')), /services/);
  });

  test('a name that is not there is answered with those that are', async (t) => {
    const answer = await callApi(await server(t), { path: '/v1/clusters/on' });
    assert.equal(answer.json['message'], 'no cluster named "on"; there are one, two');
  });

  test('a refusal of the appliance keeps its code and gets its status', async (t) => {
    const started = await server(t);
    const statusFor = async (code: 'conflict' | 'unsafe' | 'confirm' | 'not_found' | 'timeout' | 'usage') => {
      started.appliance.refuseWith = { code, message: 'no' };
      const answer = await callApi(started, { method: 'POST', path: '/v1/changes', body: SHIFT });
      assert.equal(answer.json['code'], code);
      return answer.status;
    };
    assert.equal(await statusFor('conflict'), 409);
    assert.equal(await statusFor('unsafe'), 422);
    assert.equal(await statusFor('confirm'), 422);
    assert.equal(await statusFor('not_found'), 404);
    assert.equal(await statusFor('timeout'), 504);
    assert.equal(await statusFor('usage'), 422);
  });

  test('a defect inside is 500 and says nothing about it', async (t) => {
    const started = await server(t);
    started.appliance.clusters = () => {
      throw new Error('secret detail');
    };
    const answer = await callApi(started, { path: '/v1/clusters' });
    assert.equal(answer.status, 500);
    assert.equal(answer.json['code'], 'internal');
    assert.ok(!answer.text.includes('secret detail'));
  });

  test('the config goes out and comes in as text', async (t) => {
    const started = await server(t);
    assert.equal((await callApi(started, { path: '/v1/config' })).text, 'version: 1\n');
    const apply = (path: string, body: string) =>
      callApi(started, { method: 'POST', path, body, headers: { 'content-type': 'application/yaml' } });
    const dry = await apply('/v1/config?dryRun=true', 'version: 1\nservices: {}\n');
    assert.deepEqual([dry.json['changed'], dry.json['dryRun']], [true, true]);
    assert.equal((await callApi(started, { path: '/v1/config' })).text, 'version: 1\n', 'a dry run changes nothing');
    const bad = await apply('/v1/config', 'bad: 1\n');
    assert.equal(bad.status, 422);
    assert.deepEqual(bad.json['problems'], ['weir.yaml:2:1: unknown key "bad", did you mean "bind"?']);
  });
});
