// The pool of an endpoint on real sockets: what it hands out can carry a request, at any moment.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import type { ErrorCode } from '../../../balancer/errors.ts';
import type { UpstreamConnection } from '../../../balancer/http1/upstream-connection.ts';
import { Endpoint } from '../../../balancer/upstream/endpoint.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startRawOrigin, type RawExchange } from '../../support/origin.ts';
import { fixedRandom } from '../../support/seeded-random.ts';
import { until } from '../../support/until.ts';

test('a connection whose idle time is over is not handed out in the turn that closes it', async (t) => {
  const { endpoint, clock, deadlines } = await startEndpoint(t);
  const first = await connectionOf(endpoint);
  endpoint.onIdle(first);
  clock.advance(60_000);
  deadlines.sweep();
  // The socket reports its end only in a later turn; a request that comes before must not go out on it.
  const second = await connectionOf(endpoint);
  assert.notEqual(second, first);
  assert.equal(second.state, 'idle');
});

test('an idle connection that is still good is handed out again', async (t) => {
  const { endpoint, clock, deadlines } = await startEndpoint(t);
  const first = await connectionOf(endpoint);
  endpoint.onIdle(first);
  clock.advance(59_000);
  deadlines.sweep();
  assert.equal(await connectionOf(endpoint), first);
});

test('an endpoint that closes during the TLS handshake is a failed connection', async (t) => {
  const { endpoint } = await startEndpoint(t, { scheme: 'https', onData: ({ socket }) => socket.end() });
  await assert.rejects(connectionOf(endpoint), /^Error: tls_failed/);
  await until(() => endpoint.connections === 0, 'the connection is gone');
});

interface Started {
  readonly endpoint: Endpoint;
  readonly clock: ManualClock;
  readonly deadlines: Deadlines;
}

async function startEndpoint(
  t: TestContext,
  { scheme = 'http', onData = () => undefined }: { scheme?: string; onData?: (exchange: RawExchange) => void } = {},
): Promise<Started> {
  const origin = await startRawOrigin(t, onData);
  const config = loaded(SMALL_CONFIG.replace('http://127.0.0.1:9001', `${scheme}://127.0.0.1:${origin.port}`));
  const cluster = config.clusters['one'];
  const address = cluster?.endpoints[0];
  if (cluster === undefined || address === undefined) throw new Error('the config has no endpoint');
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const tls = scheme === 'https' ? { rejectUnauthorized: false } : null;
  const endpoint = new Endpoint(address, cluster, tls, { deadlines, random: fixedRandom(0), countConnection: () => undefined });
  return { endpoint, clock, deadlines };
}

function connectionOf(endpoint: Endpoint): Promise<UpstreamConnection> {
  return new Promise((resolve, reject) => {
    const onConnectionFailed = (code: ErrorCode, detail: string): void => reject(new Error(`${code}: ${detail}`));
    endpoint.acquire({ onConnection: resolve, onConnectionFailed });
  });
}
