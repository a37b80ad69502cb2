// Probes against real sockets: what is healthy, what is not, what was reached, and what the operator reads.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createPlainServer, type Server as PlainServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { systemClock } from '../../../health/clock.ts';
import type { ProbeAddress } from '../../../health/connect.ts';
import { attempt, type ProbeOutcome } from '../../../health/probe.ts';
import { createProbe, type ProbeSettings } from '../../../health/probes.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';

const OK_STATUSES = [{ from: 200, to: 399 }];
const HTTP: ProbeSettings = { kind: 'http', path: '/healthz', host: null, statuses: OK_STATUSES };
const TCP: ProbeSettings = { kind: 'tcp' };
const PREFACE = Buffer.from('PROXY UNKNOWN\r\n');
const forever = new AbortController().signal;

const run = (settings: ProbeSettings, address: ProbeAddress, timeoutMs = 5000, signal = forever): Promise<ProbeOutcome> =>
  attempt(createProbe(settings), address, { timeoutMs, clock: systemClock, signal });

const listen = async (server: Server | PlainServer): Promise<number> => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
};

const plain = (port: number): ProbeAddress => ({ host: '127.0.0.1', port, tls: null });

describe('plain endpoints', () => {
  const seen: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const http = createHttpServer((request, response) => {
    seen.push(request);
    if (request.url === '/hang') return;
    if (request.url === '/endless') {
      response.writeHead(200);
      response.write('no end');
      return;
    }
    response.writeHead(Number(request.url?.slice(1)) || 200).end('body');
  });
  const slammer = createPlainServer((socket) => socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy()));
  const babbler = createPlainServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end('SSH-2.0-other\r\n')));
  let httpPort = 0;

  before(async () => {
    http.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    httpPort = await listen(http);
  });
  after(() => {
    for (const server of [http, slammer, babbler]) server.close();
    http.closeAllConnections();
  });

  test('a status in the range is healthy, and the request says who asks and that it leaves', async () => {
    const outcome = await run(HTTP, plain(httpPort));
    assert.deepEqual({ ...outcome, tookMs: 0 }, { ok: true, reached: true, reason: '', tookMs: 0 });
    const request = seen.at(-1);
    assert.equal(request?.method, 'GET');
    assert.equal(request.url, '/healthz');
    assert.equal(request.headers.host, `127.0.0.1:${httpPort}`);
    assert.equal(request.headers['user-agent'], 'weir-probe');
    assert.equal(request.headers.connection, 'close');
  });

  test('a status outside the ranges names what was expected', async () => {
    const outcome = await run({ ...HTTP, path: '/503' }, plain(httpPort));
    assert.deepEqual([outcome.ok, outcome.reached, outcome.reason], [false, true, 'status 503, expected 200-399']);
    const strict = await run(
      {
        ...HTTP,
        path: '/302',
        statuses: [
          { from: 200, to: 200 },
          { from: 204, to: 206 },
        ],
      },
      plain(httpPort),
    );
    assert.equal(strict.reason, 'status 302, expected 200, 204-206');
  });

  test('the host field is the one that was asked for', async () => {
    await run({ ...HTTP, host: 'green.shop.internal' }, plain(httpPort));
    assert.equal(seen.at(-1)?.headers.host, 'green.shop.internal');
  });

  test('an answer that never comes is over at the time limit, reached but not healthy', async () => {
    const outcome = await run({ ...HTTP, path: '/hang' }, plain(httpPort), 100);
    assert.deepEqual([outcome.ok, outcome.reached, outcome.reason], [false, true, 'no answer within 100ms']);
    assert.ok(outcome.tookMs >= 99, `${outcome.tookMs} ms`);
  });

  test('the status decides without waiting for the end of the body', async () => {
    assert.equal((await run({ ...HTTP, path: '/endless' }, plain(httpPort))).ok, true);
  });

  test('an abort from outside ends the attempt', async () => {
    const abort = new AbortController();
    const pending = run({ ...HTTP, path: '/hang' }, plain(httpPort), 60_000, abort.signal);
    abort.abort(new Error('the endpoint left the config'));
    assert.equal((await pending).reason, 'the endpoint left the config');
  });

  test('no attempt leaves a connection behind', async () => {
    await Promise.all(
      [...sockets].map((socket) => new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve)))),
    );
    assert.equal(sockets.size, 0);
  });

  test('a port nobody listens on is refused and not reached, for both kinds', async () => {
    const unused = createPlainServer();
    const port = await listen(unused);
    await new Promise((resolve) => unused.close(resolve));
    for (const settings of [HTTP, TCP]) {
      const outcome = await run(settings, plain(port));
      assert.deepEqual([outcome.ok, outcome.reached, outcome.reason], [false, false, 'connection refused'], settings.kind);
      // A name may stand for several addresses, each of which refuses.
      const named = await run(settings, { host: 'localhost', port, tls: null });
      assert.deepEqual([named.ok, named.reached, named.reason], [false, false, 'connection refused'], settings.kind);
    }
  });

  test('a reset and an answer that is not HTTP are failures of the way, with a reason of one line', async () => {
    const reset = await run(HTTP, plain(await listen(slammer)));
    assert.deepEqual([reset.ok, reset.reached], [false, false]);
    assert.match(reset.reason, /reset|closed/);
    const babble = await run(HTTP, plain(await listen(babbler)));
    assert.deepEqual([babble.ok, babble.reached], [false, false]);
    assert.match(babble.reason, /^[^\n]+$/);
  });

  test('a connection is all that the tcp probe wants', async () => {
    assert.equal((await run(TCP, plain(httpPort))).ok, true);
  });
});

test('a probe that breaks its word is a failed attempt', async () => {
  const broken = (): Promise<never> => Promise.reject(new Error('a\nbug'));
  const outcome = await attempt(broken, plain(1), { timeoutMs: 1000, clock: systemClock, signal: forever });
  assert.deepEqual([outcome.ok, outcome.reached, outcome.reason], [false, false, 'a bug']);
});

describe('TLS endpoints', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-probes-'));
  let server: ReturnType<typeof createHttpsServer>;
  let silent: PlainServer;
  let authority: TestCertificate;
  let stranger: TestCertificate;
  let port = 0;
  let serverNames: (string | false | null)[] = [];

  before(async () => {
    authority = makeCertificate(directory, { names: ['authority.test'] });
    stranger = makeCertificate(directory, { names: ['stranger.test'] });
    const leaf = makeCertificate(directory, { names: ['gateway.test', '127.0.0.1'], ca: authority });
    server = createHttpsServer({ cert: readFileSync(leaf.cert), key: readFileSync(leaf.key) }, (_request, response) => response.end());
    server.on('secureConnection', (socket) => serverNames.push(socket.servername ?? null));
    port = await listen(server);
    silent = createPlainServer((socket) => socket.on('error', () => undefined));
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    silent.close();
    rmSync(directory, { recursive: true });
  });

  const secure = (ca: TestCertificate, servername: string | null, rejectUnauthorized = true): ProbeAddress => ({
    host: '127.0.0.1',
    port,
    tls: {
      secureContext: createSecureContext({ ca: ca.pem }),
      rejectUnauthorized,
      ALPNProtocols: ['http/1.1'],
      ...(servername === null ? {} : { servername }),
    },
  });

  test('the authority and the server name of the cluster are what counts, whatever the host field says', async () => {
    serverNames = [];
    for (const settings of [{ ...HTTP, host: 'shop.example.com' }, TCP]) {
      assert.deepEqual(
        { ...(await run(settings, secure(authority, 'gateway.test'))), tookMs: 0 },
        { ok: true, reached: true, reason: '', tookMs: 0 },
      );
    }
    assert.deepEqual(new Set(serverNames), new Set(['gateway.test']));
  });

  test('an address in the certificate is enough when no name is set', async () => {
    assert.equal((await run(HTTP, secure(authority, null))).ok, true);
  });

  test('another authority, or another name, is not healthy unless verification is off', async () => {
    for (const settings of [HTTP, TCP]) {
      const unknown = await run(settings, secure(stranger, 'gateway.test'));
      assert.deepEqual([unknown.ok, unknown.reached], [false, false]);
      assert.match(unknown.reason, /certificate|issuer/);
      const misnamed = await run(settings, secure(authority, 'other.test'));
      assert.equal(misnamed.ok, false);
      assert.match(misnamed.reason, /other\.test/);
      assert.equal((await run(settings, secure(stranger, 'other.test', false))).ok, true);
    }
  });

  test('a peer that accepts and never shakes hands is over at the time limit and was not reached', async () => {
    const address = { ...secure(authority, 'gateway.test'), port: await listen(silent) };
    for (const settings of [HTTP, TCP]) {
      const outcome = await run(settings, address, 100);
      assert.deepEqual([outcome.ok, outcome.reached, outcome.reason], [false, false, 'no answer within 100ms'], settings.kind);
    }
  });

  test('what a connection must begin with is said before anything else, TLS included', async (t) => {
    const begins: string[] = [];
    const front = createPlainServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('readable', () => {
        begins.push(String(socket.read(PREFACE.length)));
        server.emit('connection', socket);
      });
    });
    t.after(() => front.close());
    const address = { ...secure(authority, 'gateway.test'), port: await listen(front), preface: PREFACE };
    for (const settings of [HTTP, TCP]) assert.equal((await run(settings, address)).ok, true, settings.kind);
    const misnamed = await run(HTTP, { ...address, tls: secure(authority, 'other.test').tls });
    assert.match(misnamed.reason, /other\.test/);
    assert.deepEqual(new Set(begins), new Set([PREFACE.toString()]));
  });

  test('a connection that must begin with something is refused, and is over, as any other', async () => {
    const unused = createPlainServer();
    const refusing = await listen(unused);
    await new Promise((resolve) => unused.close(resolve));
    const left = Promise.withResolvers<undefined>();
    const waiting = createPlainServer((socket) => void socket.on('close', () => left.resolve(undefined)).resume());
    const address = { ...secure(authority, 'gateway.test'), preface: PREFACE };
    for (const settings of [HTTP, TCP]) {
      const refused = await run(settings, { ...address, port: refusing });
      assert.deepEqual([refused.ok, refused.reached, refused.reason], [false, false, 'connection refused'], settings.kind);
    }
    const late = await run(TCP, { ...address, port: await listen(waiting) }, 100);
    assert.deepEqual([late.ok, late.reason], [false, 'no answer within 100ms']);
    await left.promise;
    waiting.close();
  });
});
