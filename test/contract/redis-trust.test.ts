// Whom a host takes for the Redis of its fleet, and what of it: no server with another certificate, no password beyond one that is refused, no end of a chain that is
// none. Each says why it is not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import { LedgerAwayError, LedgerForgedError } from '../../balancer/store/ledger.ts';
import type { RedisAccess } from '../../balancer/store/redis/connection.ts';
import { RedisLedger } from '../../balancer/store/redis/redis-ledger.ts';
import { Seal } from '../../balancer/store/seal.ts';
import { makeCertificate, type TestCertificate } from '../support/certificates.ts';
import { leastRights, REDIS_USER } from '../support/redis-rights.ts';
import { startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 15_000;

function ledgerAt(t: TestContext, port: number, access: Partial<RedisAccess>): RedisLedger {
  const place = { kind: 'single', node: { host: '127.0.0.1', port } } as const;
  const common = { place, username: null, password: null, database: 0, tls: null, timeoutMs: 500, connectMs: 1000 };
  const ledger = new RedisLedger({ ...common, ...access, fleet: 'weir', seal: new Seal([randomBytes(32)]), clock: systemClock });
  t.after(() => ledger.close());
  return ledger;
}

/** Until it says why it cannot be asked. */
async function refusal(ledger: RedisLedger): Promise<string> {
  let said = '';
  const isRefused = async (): Promise<boolean> => {
    await assert.rejects(ledger.head(), (error) => {
      said = error instanceof LedgerAwayError ? error.message : assert.fail(String(error));
      return true;
    });
    return !/not connected/.test(said);
  };
  await until(isRefused, 'it says why', SETTLE_MS);
  return said;
}

/** With its own certificate, and one that is not its own. */
async function startWithTls(
  t: TestContext,
): Promise<{ readonly port: number; readonly own: TestCertificate; readonly other: TestCertificate }> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-trust-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const own = makeCertificate(directory, { names: ['redis.internal'] });
  const other = makeCertificate(directory, { names: ['localhost'], file: 'other' });
  const files = [`tls-cert-file ${own.cert}`, `tls-key-file ${own.key}`, `tls-ca-cert-file ${own.cert}`];
  const { port } = await startRedis(t, ['tls-port PORT', 'tls-auth-clients no', ...files]);
  return { port, own, other };
}

test('a Redis with TLS is spoken to by its name and authority, and by no others', async (t) => {
  const { port, own, other } = await startWithTls(t);
  const ledger = (ca: string | null, serverName: string | null): RedisLedger => ledgerAt(t, port, { tls: { ca, serverName } });
  const good = ledger(own.pem, 'redis.internal');
  await until(
    () =>
      good.head().then(
        ({ revision }) => revision === 0,
        () => false,
      ),
    'it answers',
    SETTLE_MS,
  );
  assert.match(await refusal(ledger(other.pem, 'redis.internal')), /self-signed certificate|unable to verify/);
  assert.match(await refusal(ledger(null, 'redis.internal')), /self-signed certificate|unable to verify/);
  assert.match(await refusal(ledger(own.pem, 'localhost')), /does not match certificate's altnames/);
  assert.match(await refusal(ledger(own.pem, null)), /does not match certificate's altnames/);
});

test('a password that is wrong is told of, and a right that is missing', async (t) => {
  const { port } = await startRedis(t, ['user default off', leastRights().replace(' +hmget', '')]);
  assert.match(await refusal(ledgerAt(t, port, { ...REDIS_USER, password: 'other' })), /WRONGPASS/);
  assert.match(await refusal(ledgerAt(t, port, REDIS_USER)), /Redis refuses: NOPERM .*hmget/);
});

test('an end of the chain that is no number is told of as forged, and nothing is looked for', async (t) => {
  const { port } = await startRedis(t);
  const ledger = ledgerAt(t, port, {});
  for (const revision of ['NaN', '-1', '1e400', '7.5']) {
    execFileSync('redis-cli', ['-p', String(port), 'HSET', 'weir:{weir}:head', 'revision', revision, 'hash', 'ff'], { stdio: 'ignore' });
    await assert.rejects(ledger.head(), LedgerForgedError, revision);
  }
});
