// The access log: a line per request, in batches, bounded whatever the target does.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AccessLogEntry } from '../../../balancer/telemetry/access-log.ts';
import { logTo } from '../../support/access-log.ts';

const ENTRY: AccessLogEntry = {
  at: '2026-11-21T10:00:00.000Z',
  requestId: 'r-1',
  listener: 'web',
  client: '192.0.2.1',
  method: 'GET',
  host: 'shop.example.com',
  path: '/a"b',
  status: 200,
  bytesIn: 0,
  bytesOut: 12,
  durationMs: 1.5,
  route: 'all',
  service: 'shop',
  version: 'blue',
  cluster: 'one',
  endpoint: '10.0.0.1:80',
  attempts: 1,
  error: '',
  detail: '',
};

function logFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-log-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'access.log');
}

test('every entry is one line of JSON, and all are there after close', async (t) => {
  const file = logFile(t);
  const log = logTo(file);
  for (let count = 0; count < 500; count += 1) log.write({ ...ENTRY, requestId: `r-${count}` });
  await log.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 500);
  assert.deepEqual(JSON.parse(lines[499] ?? ''), { ...ENTRY, requestId: 'r-499' });
  assert.equal(log.takeDropped(), 0);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a second log on the same file appends', async (t) => {
  const file = logFile(t);
  for (const requestId of ['first', 'second']) {
    const log = logTo(file);
    log.write({ ...ENTRY, requestId });
    await log.close();
  }
  assert.deepEqual(
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as AccessLogEntry).requestId),
    ['first', 'second'],
  );
});

test('lines beyond what the target may owe are dropped and counted once', async (t) => {
  const file = logFile(t);
  const log = logTo(file);
  const large = { ...ENTRY, path: `/${'x'.repeat(64 * 1024)}` };
  // 16 MiB in one go: the event loop does not turn, so nothing can be written meanwhile.
  for (let count = 0; count < 256; count += 1) log.write(large);
  const dropped = log.takeDropped();
  assert.ok(dropped > 0, 'some are dropped');
  assert.equal(log.takeDropped(), 0);
  await log.close();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.equal(lines.length + dropped, 256);
});

test('a target that cannot be opened costs lines and nothing else', async () => {
  const log = logTo('/nonexistent/directory/access.log');
  log.write(ENTRY);
  await log.close();
  assert.equal(log.takeDropped(), 1);
});
