// The pool of an endpoint on real sockets: what it hands out can carry a request, at any moment.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import type { UpstreamConnection } from '../../../balancer/message/exchange.ts';
import type { ErrorCode } from '../../../balancer/errors.ts';
import { Http1UpstreamConnection } from '../../../balancer/http1/upstream-connection.ts';
import { ConnectionPool } from '../../../balancer/upstream/connection-pool.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startRawOrigin, type RawExchange } from '../../support/origin.ts';
import { until } from '../../support/until.ts';

test('a connection whose idle time is over is not handed out in the turn that closes it', async (t) => {
  const { pool, clock, deadlines } = await startPool(t);
  const first = await connectionOf(pool);
  pool.onIdle(first);
  clock.advance(60_000);
  deadlines.sweep();
  // The socket reports its end only in a later turn; a request that comes before must not go out on it.
  const second = await connectionOf(pool);
  assert.notEqual(second, first);
  assert.equal(second.state, 'idle');
});

test('an idle connection that is still good is handed out again', async (t) => {
  const { pool, clock, deadlines } = await startPool(t);
  const first = await connectionOf(pool);
  pool.onIdle(first);
  clock.advance(59_000);
  deadlines.sweep();
  assert.equal(await connectionOf(pool), first);
});

test('an endpoint that closes during the TLS handshake is a failed connection', async (t) => {
  const { pool } = await startPool(t, { secure: true, onData: ({ socket }) => socket.end() });
  await assert.rejects(connectionOf(pool), /^Error: tls_failed/);
  await until(() => pool.connections === 0, 'the connection is gone');
});

interface Started {
  readonly pool: ConnectionPool;
  readonly clock: ManualClock;
  readonly deadlines: Deadlines;
}

async function startPool(
  t: TestContext,
  { secure = false, onData = () => undefined }: { secure?: boolean; onData?: (exchange: RawExchange) => void } = {},
): Promise<Started> {
  const origin = await startRawOrigin(t, onData);
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const pool = new ConnectionPool({
    id: `127.0.0.1:${origin.port}`,
    address: { host: '127.0.0.1', port: origin.port, tls: secure ? { rejectUnauthorized: false } : null },
    protocol: 'http1',
    connectTimeoutMs: 1000,
    keepAliveMs: 60_000,
    maxConnections: 1024,
    streamsPerConnection: 100,
    deadlines,
    countConnection: () => undefined,
    countQueued: () => undefined,
  });
  return { pool, clock, deadlines };
}

function connectionOf(pool: ConnectionPool): Promise<Http1UpstreamConnection> {
  return new Promise((resolve, reject) => {
    const onConnectionFailed = (code: ErrorCode, detail: string): void => reject(new Error(`${code}: ${detail}`));
    const onConnection = (connection: UpstreamConnection): void => {
      assert.ok(connection instanceof Http1UpstreamConnection);
      resolve(connection);
    };
    pool.acquire({ onConnection, onConnectionFailed });
  });
}
