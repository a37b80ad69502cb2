// Gates that ask, over real connections: how often, for how long, with which secret, and what becomes of an answer that does not come.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AskedGateConfig } from '../../../../balancer/config/gate-config.ts';
import { GateQuestions } from '../../../../balancer/controller/driver/gate-questions.ts';
import type { Reading } from '../../../../balancer/rollout/gate.ts';
import { makeCertificate } from '../../../support/certificates.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { until } from '../../../support/until.ts';

test('it is asked at its own rate, with the names of the rollout, its fields and its secret as the file has it then', async (t) => {
  const asked: IncomingMessage[] = [];
  const url = await serve(t, (request, response) => {
    asked.push(request);
    response.end('{"failed":0}');
  });
  const secret = join(directoryOf(t), 'token');
  writeFileSync(secret, 'Bearer one\n');
  const source = { kind: 'http', url: `${url}/$service/$version`, statuses: [{ from: 200, to: 200 }], value: '/failed' } as const;
  const gate = { ...gateOf(source), bound: { above: null, below: 1 }, authorization: { file: secret }, headers: { 'x-tenant': 'a' } };
  const { questions, clock } = questionsOf(t, gate);

  questions.tick();
  assert.equal((await heard(questions)).verdict, 'pass');
  clock.advance(9000);
  questions.tick();
  writeFileSync(secret, 'Bearer two\n');
  clock.advance(1000);
  questions.tick();
  assert.equal((await heard(questions)).verdict, 'pass');

  assert.deepEqual(
    asked.map(({ url: path, headers }) => [path, headers.authorization, headers['x-tenant']]),
    [
      ['/shop/green', 'Bearer one', 'a'],
      ['/shop/green', 'Bearer two', 'a'],
    ],
  );
});

test('a question that is not answered ends with its time, says nothing, and none is asked beside it', async (t) => {
  let asked = 0;
  const url = await serve(t, () => void (asked += 1));
  const { questions, clock } = questionsOf(t, { ...gateOf(statusOf(url)), everyMs: 1000, timeoutMs: 5000 });
  questions.tick();
  await until(() => asked === 1, 'the question is there');
  for (let second = 0; second < 4; second += 1) {
    clock.advance(1000);
    questions.tick();
  }
  assert.equal(asked, 1);
  clock.advance(1000);
  assert.deepEqual(await heard(questions), { verdict: 'insufficient', says: 'no answer in time', failures: 1 });
});

test('a body that never ends is cut off by the time, and one that is too long by its length', async (t) => {
  const dripping = await serve(t, (_request, response) => void response.write('{'));
  const slow = questionsOf(t, gateOf(statusOf(dripping)));
  slow.questions.tick();
  await until(() => slow.clock.pending > 0, 'its time runs');
  slow.clock.advance(5000);
  assert.equal((await heard(slow.questions)).says, 'no answer in time');

  const long = await serve(t, (_request, response) => response.end(Buffer.alloc(1_100_000)));
  const { questions } = questionsOf(t, gateOf(statusOf(long)));
  questions.tick();
  assert.equal((await heard(questions)).says, 'the answer has more than 1048576 bytes');
});

test('who cannot be reached, whose secret is not there, and what the config does not have any more say nothing', async (t) => {
  const server = createServer();
  const gone = await listening(server, 'http');
  server.close();
  await once(server, 'close');
  const refused = questionsOf(t, gateOf(statusOf(gone)));
  refused.questions.tick();
  assert.deepEqual(await heard(refused.questions), { verdict: 'insufficient', says: 'no answer (ECONNREFUSED)', failures: 1 });

  const locked = questionsOf(t, { ...gateOf(statusOf(gone)), authorization: { file: '/nowhere/token' } });
  locked.questions.tick();
  assert.equal((await heard(locked.questions)).says, 'the secret for its authorization cannot be read');

  const forgotten = questionsOf(t, null);
  forgotten.questions.tick();
  assert.equal((await heard(forgotten.questions)).says, 'the config does not declare it any more');
});

test('certificates are verified: an unknown authority says nothing, a known one is believed', async (t) => {
  const directory = directoryOf(t);
  const certificate = makeCertificate(directory, { names: ['127.0.0.1'] });
  const server = createTlsServer({ cert: certificate.pem, key: readFileSync(certificate.key) }, (_request, response) => response.end());
  const url = await listening(server, 'https');
  t.after(() => void server.close());

  const stranger = questionsOf(t, gateOf(statusOf(url)));
  stranger.questions.tick();
  assert.match((await heard(stranger.questions)).says, /^no answer \((DEPTH_ZERO_)?SELF_SIGNED_CERT/);

  const known = questionsOf(t, { ...gateOf(statusOf(url)), ca: certificate.cert });
  known.questions.tick();
  assert.equal((await heard(known.questions)).verdict, 'pass');
});

test('an expression is asked of the HTTP API of Prometheus', async (t) => {
  let path = '';
  const url = await serve(t, (request, response) => {
    path = request.url ?? '';
    response.setHeader('content-type', 'application/json');
    response.end(
      '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1760000000.1,"0.02"]}]},"warnings":[]}',
    );
  });
  const source = { kind: 'prometheus', url, query: 'sum(rate(failed{v="$version"}[1m]))' } as const;
  const { questions } = questionsOf(t, { ...gateOf(source), bound: { above: null, below: 0.01 } });
  questions.tick();
  assert.deepEqual(await heard(questions), { verdict: 'fail', says: '0.02, right is below 0.01', failures: 1 });
  assert.equal(new URL(path, url).searchParams.get('query'), 'sum(rate(failed{v="green"}[1m]))');
});

test('what is asked when a step ends is broken off, and not heard in the next one', async (t) => {
  let asked = 0;
  let left = 0;
  const url = await serve(t, (request) => {
    asked += 1;
    request.once('close', () => void (left += 1));
  });
  const { questions } = questionsOf(t, gateOf(statusOf(url)));
  questions.tick();
  await until(() => asked === 1, 'the question is there');
  questions.close();
  await until(() => left === 1, 'the connection is closed');
  assert.equal(questions.take().size, 0);
});

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-gates-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  const url = await listening(server, 'http');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return url;
}

async function listening(server: Server, scheme: string): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function statusOf(url: string): AskedGateConfig['source'] {
  return { kind: 'http', url, statuses: [{ from: 200, to: 299 }], value: null };
}

function gateOf(source: AskedGateConfig['source']): AskedGateConfig {
  const asks = { everyMs: 10_000, timeoutMs: 5000, failures: 1, authorization: null, headers: {}, ca: null };
  return { name: 'checkout-ok', source, bound: { above: null, below: null }, ...asks };
}

interface Asking {
  readonly questions: GateQuestions;
  readonly clock: ManualClock;
}

/** Null: the config has no such gate. */
function questionsOf(t: TestContext, gate: AskedGateConfig | null): Asking {
  const clock = new ManualClock();
  const gates = gate === null ? {} : { 'checkout-ok': gate };
  const texts = ['errors<1%', ' checkout-ok'];
  const questions = new GateQuestions({ clock, gates: () => gates, texts, about: { service: 'shop', version: 'green' } });
  t.after(() => questions.close());
  return { questions, clock };
}

async function heard(questions: GateQuestions): Promise<Reading> {
  let reading: Reading | undefined;
  await until(() => (reading = questions.take().get('checkout-ok')) !== undefined, 'an answer is heard');
  assert.ok(reading !== undefined);
  return reading;
}
