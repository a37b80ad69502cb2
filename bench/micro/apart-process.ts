// One case of a subject in a process of its own: `node bench/micro/apart-process.ts SUBJECT CASE` runs a batch whenever it is told how long.
import { getHeapStatistics } from 'node:v8';
import { casesOf, runBatch, type Batch } from './harness.ts';
import { SUBJECTS } from './registry.ts';

const [subjectName, caseName] = process.argv.slice(2);
const subject = SUBJECTS.find(({ name }) => name === subjectName);
const one = subject === undefined ? undefined : (await casesOf(subject)).find(({ name }) => name === caseName);
if (one === undefined) throw new Error(`there is no case ${caseName ?? ''} of ${subjectName ?? ''}`);

const setting = { nowMs: () => performance.now(), allocatedBytes: () => getHeapStatistics().total_allocated_bytes };

process.on('message', (iterations) => {
  const batch: Batch = runBatch(one, Number(iterations), setting);
  process.send?.(batch);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
