// Calls of gRPC are judged by their own status: HTTP says 200 whatever became of them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { grpcResult, grpcResultAtEnd, isGrpcAnswer } from '../../../balancer/message/grpc-status.ts';
import { freePort } from '../../support/free-port.ts';
import { startH2Origin, type H2Exchange } from '../../support/h2-origin.ts';
import { countOf, startProxy, type Proxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const CALL = { ':method': 'POST', ':path': '/shop.Cart/Add', 'content-type': 'application/grpc', te: 'trailers' };
const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };
const UNAVAILABLE = '14';

/** Ends with the status in trailers, behind a message. */
const withTrailers =
  (status: string) =>
  ({ stream }: H2Exchange): void => {
    stream.respond(HEAD, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  };
/** The status in a head without a body. */
const inTheHead =
  (status: string) =>
  ({ stream }: H2Exchange): void =>
    stream.respond({ ...HEAD, 'grpc-status': status }, { endStream: true });

async function startCalls(t: TestContext, answer: (exchange: H2Exchange) => void) {
  const origin = await startH2Origin(t, answer);
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  return { proxy, client: callsTo(t, proxy) };
}

function callsTo(t: TestContext, { url }: Proxy): ClientHttp2Session {
  const client = connect(url);
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  return client;
}

async function call(client: ClientHttp2Session): Promise<void> {
  const stream = client.request(CALL);
  stream.end(Buffer.from([0, 0, 0, 0, 0]));
  stream.resume();
  await once(stream, 'close');
}

const counted = (proxy: Proxy, codeClass: string): number => countOf(proxy, 'weir_requests_total', codeClass);
const errors = (proxy: Proxy): number => countOf(proxy, 'weir_upstream_errors_total');

for (const [where, answering] of Object.entries({ 'its trailers': withTrailers, 'its only head': inTheHead })) {
  test(`a call that says UNAVAILABLE in ${where} counts as a failed answer`, async (t) => {
    const { proxy, client } = await startCalls(t, answering(UNAVAILABLE));
    await call(client);
    await until(() => counted(proxy, '5xx') === 1, 'one answer of class 5xx is counted');
    assert.deepEqual([counted(proxy, '2xx'), errors(proxy)], [0, 1]);
  });

  test(`a version that says UNAVAILABLE in ${where} again and again is taken out of service`, async (t) => {
    const { proxy, client } = await startCalls(t, answering(UNAVAILABLE));
    for (let turn = 0; turn < 5; turn += 1) await call(client);
    await until(() => proxy.said.some(({ type }) => type === 'ejection'), 'the version is ejected');
    const ejected = proxy.said.flatMap((message) => (message.type === 'ejection' ? [message.ejection] : []));
    assert.deepEqual(
      ejected.map(({ kind, reason }) => ({ kind, reason })),
      [{ kind: 'target', reason: 'answered 503' }],
    );
  });
}

test('a call that went well, and one whose caller is at fault, is no error', async (t) => {
  const statuses = ['0', '3', '5', '12'];
  const { proxy, client } = await startCalls(t, (exchange) => withTrailers(statuses.shift() ?? '0')(exchange));
  for (let turn = 0; turn < 4; turn += 1) await call(client);
  await until(() => counted(proxy, '2xx') + counted(proxy, '4xx') === 4, 'four answers are counted');
  assert.deepEqual([counted(proxy, '2xx'), counted(proxy, '4xx'), errors(proxy)], [1, 3, 0]);
});

test('deadlines of callers are errors, and take no version out of service', async (t) => {
  const { proxy, client } = await startCalls(t, withTrailers('4'));
  for (let turn = 0; turn < 20; turn += 1) await call(client);
  await until(() => errors(proxy) === 20, 'twenty errors are counted');
  assert.equal(
    proxy.said.some(({ type }) => type === 'ejection'),
    false,
  );
});

test('an answer of weir itself counts as what it stands for', async (t) => {
  const proxy = await startProxy(t, { endpoints: [`h2c://127.0.0.1:${await freePort()}`] });
  await call(callsTo(t, proxy));
  await until(() => counted(proxy, '5xx') === 1, 'one answer of class 5xx is counted');
  assert.equal(counted(proxy, '2xx'), 0);
});

test('what is no gRPC goes by its HTTP status', () => {
  assert.equal(isGrpcAnswer(200, ['content-type', 'application/grpc']), true);
  assert.equal(isGrpcAnswer(200, ['content-type', 'application/grpc+proto']), true);
  assert.equal(isGrpcAnswer(200, ['content-type', 'application/grpc-web+proto']), false);
  assert.equal(isGrpcAnswer(200, ['content-type', 'application/json', 'grpc-status', '14']), false);
  assert.equal(isGrpcAnswer(200, []), false);
  assert.equal(isGrpcAnswer(503, ['content-type', 'application/grpc']), false);
});

test('a call without a status, or with one that nobody knows, has failed', () => {
  assert.equal(grpcResult(['server', 'x']), null);
  assert.equal(grpcResultAtEnd([]), 500);
  assert.equal(grpcResultAtEnd(['grpc-status', '99']), 500);
  assert.equal(grpcResultAtEnd(['grpc-status', 'good']), 500);
  assert.equal(grpcResultAtEnd(['grpc-status', '0']), 200);
});
