// A writer that is killed at any instant: what it acknowledged is there, in an unbroken chain, and the next writer gets in at once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { verifyChain } from '../../balancer/intent/revision.ts';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import { StoreUnavailableError } from '../../balancer/store/sqlite-errors.ts';
import { intentOf } from '../support/revision-chain.ts';
import { seededRandom } from '../support/seeded-random.ts';

const COMMITTER = new URL('../support/store-committer.ts', import.meta.url).pathname;

/** Lets a writer run until it has acknowledged `commits` more, calls `meanwhile`, kills it after `delayMs`; the last revision it acknowledged. */
async function runAndKill(
  directory: string,
  { commits, delayMs, meanwhile }: { commits: number; delayMs: number; meanwhile?: (writer: number) => void },
): Promise<number> {
  const child = spawn(process.execPath, [COMMITTER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let acknowledged = 0;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    seen += 1;
    if (seen !== commits) continue;
    meanwhile?.(child.pid ?? 0);
    // The instant within a commit is the point here; the writer goes on until the signal comes.
    setTimeout(() => child.kill('SIGKILL'), delayMs);
  }
  await ended;
  assert.equal(child.signalCode, 'SIGKILL', 'the writer must not have ended by itself');
  return acknowledged;
}

test('every acknowledged commit survives kill -9 at any instant', { timeout: 60_000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-crash-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const random = seededRandom(20_26);
  for (let round = 0; round < 10; round += 1) {
    const acknowledged = await runAndKill(directory, { commits: 1 + Math.floor(random() * 20), delayMs: random() * 10 });
    const store = openSqliteStore(directory);
    try {
      const newest = store.readIntent()?.revision ?? 0;
      // A commit may be on disk whose acknowledgement was not printed any more; never the other way round.
      assert.ok(newest === acknowledged || newest === acknowledged + 1, `acknowledged ${acknowledged}, stored ${newest}`);
      assert.deepEqual(verifyChain(store.chain(), newest), { records: newest, intact: true, brokenAt: null });
      assert.deepEqual(store.intentAt(acknowledged), intentOf(acknowledged));
      assert.ok(Number(store.getValue('last')) >= acknowledged);
    } finally {
      store.close();
    }
  }
});

test('a second writer is refused while the first lives, and told which process that is', { timeout: 30_000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-writer-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  let refusals = 0;
  const meanwhile = (writer: number) => {
    assert.throws(
      () => openSqliteStore(directory),
      (error) =>
        error instanceof StoreUnavailableError &&
        error.message.startsWith(`the store in ${directory} is in use by another weir (process ${writer})`),
    );
    refusals += 1;
  };
  await runAndKill(directory, { commits: 3, delayMs: 0, meanwhile });
  assert.equal(refusals, 1);
  openSqliteStore(directory).close();
});
