// A process that commits as fast as it can and prints each revision after it was acknowledged, until it is killed.
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import { intentOf, recordOf } from './revision-chain.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: store-committer.ts DIRECTORY');

const store = openSqliteStore(directory);
let previous = store.revisions(1)[0] ?? null;
for (;;) {
  const revision = (previous?.revision ?? 0) + 1;
  const record = recordOf(revision, previous);
  const result = store.commit(revision - 1, intentOf(revision), record);
  if (!result.ok) throw new Error(`revision ${revision} was refused: the store is at ${result.revision}`);
  store.putValue('last', String(revision));
  // Straight to the pipe: what was printed was acknowledged, whatever happens to this process next.
  writeSync(1, `${revision}\n`);
  previous = record;
}
