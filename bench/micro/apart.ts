// The cases of a subject, each in a process of its own: for what a process does either always or never, such as tracing.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { summarise, type Batch, type MicroCase, type MicroResult, type MicroSubject } from './harness.ts';

export interface ApartSetting {
  readonly rounds: number;
  readonly batchMs: number;
}

interface Apart {
  readonly one: MicroCase;
  readonly child: ChildProcess;
  iterations: number;
  readonly batches: Batch[];
}

/** As `compare()`: every round runs one batch of each, one process after the other, starting with another one. */
export async function compareApart(
  subject: MicroSubject,
  cases: readonly MicroCase[],
  { rounds, batchMs }: ApartSetting,
): Promise<readonly MicroResult[]> {
  const entries: Apart[] = [];
  try {
    for (const one of cases) {
      const child = fork(`${import.meta.dirname}/apart-process.ts`, [subject.name, one.name]);
      await once(child, 'message');
      const entry = { one, child, iterations: 1, batches: [] };
      entries.push(entry);
      await grow(entry, batchMs);
    }
    for (let round = 0; round < rounds; round += 1) {
      const first = round % entries.length;
      for (const entry of [...entries.slice(first), ...entries.slice(0, first)]) entry.batches.push(await batchOf(entry));
    }
  } finally {
    for (const { child } of entries) child.disconnect();
  }
  return summarise(entries.map(({ one, batches }) => ({ name: one.name, batches })));
}

/** Until a batch takes long enough; by then the compiler has settled. */
async function grow(entry: Apart, batchMs: number): Promise<void> {
  while ((await batchOf(entry)).ms < batchMs) entry.iterations *= 2;
}

async function batchOf({ child, iterations }: Apart): Promise<Batch> {
  const answered = once(child, 'message');
  child.send(iterations);
  const [batch] = (await answered) as [Batch];
  return batch;
}
