// Compares pieces of code inside one process: batches of all cases in turn, the fastest batch of each counts, ratios to the first.

import { median } from '../statistics.ts';

/** One way to do the work. */
export interface MicroCase {
  readonly name: string;
  /** Does the work `iterations` times, in a loop of its own; returns something made from all results, so that none can be left out. */
  run(iterations: number): number;
}

/** What is compared: its cases do the same job at different sizes, or in different ways. */
export interface MicroSubject {
  readonly name: string;
  readonly summary: string;
  /** Makes the cases; the first is what the others are compared to. */
  cases(): readonly MicroCase[];
  /** Those that cannot be made at once. */
  laterCases?(): Promise<readonly MicroCase[]>;
  /** A process does either always the one or always the other: each case is measured in a process of its own, as the compiler would see it there. */
  readonly apart?: true;
}

export async function casesOf(subject: MicroSubject): Promise<readonly MicroCase[]> {
  return [...subject.cases(), ...((await subject.laterCases?.()) ?? [])];
}

export interface MicroResult {
  readonly name: string;
  /** Nanoseconds per iteration in the fastest batch: what disturbs only ever adds. */
  readonly fastestNs: number;
  /** The median batch; far above the fastest on a busy machine. */
  readonly medianNs: number;
  /** Of the fastest, to that of the first case. */
  readonly ratio: number;
  /** Heap bytes allocated per iteration, in the batch that allocated least. */
  readonly bytes: number;
}

export interface MicroSetting {
  readonly rounds: number;
  /** About how long one batch of a case takes. */
  readonly batchMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** All that was ever allocated on the heap, in bytes. */
  readonly allocatedBytes: () => number;
}

/** One run of a case. */
export interface Batch {
  readonly ms: number;
  readonly iterations: number;
  /** Allocated on the heap, by all of it. */
  readonly bytes: number;
}

export function runBatch(
  one: MicroCase,
  iterations: number,
  { nowMs, allocatedBytes }: Pick<MicroSetting, 'nowMs' | 'allocatedBytes'>,
): Batch {
  const bytesBefore = allocatedBytes();
  const startMs = nowMs();
  keep(one.run(iterations));
  return { ms: nowMs() - startMs, iterations, bytes: allocatedBytes() - bytesBefore };
}

/** Batches grow until they take long enough; running them also lets the compiler settle. */
function iterationsFor(subject: MicroCase, { batchMs, nowMs }: MicroSetting): number {
  for (let iterations = 1; ; iterations *= 2) {
    const startMs = nowMs();
    keep(subject.run(iterations));
    if (nowMs() - startMs >= batchMs) return iterations;
  }
}

/** Where results go; a value that leaves the function cannot be optimized away. */
let kept = 0;
function keep(value: number): void {
  kept = (kept + value) % 1_000_003;
}

/** Measures the cases; every round runs each once, starting with another one, so that none always follows the same neighbour. */
export function compare(cases: readonly MicroCase[], setting: MicroSetting): readonly MicroResult[] {
  const prepared = cases.map((one) => ({ one, name: one.name, iterations: iterationsFor(one, setting), batches: new Array<Batch>() }));
  for (let round = 0; round < setting.rounds; round += 1) {
    const first = round % prepared.length;
    for (const { one, iterations, batches } of [...prepared.slice(first), ...prepared.slice(0, first)])
      batches.push(runBatch(one, iterations, setting));
  }
  return summarise(prepared);
}

/** The first is what the others are compared to. */
export function summarise(measured: readonly { readonly name: string; readonly batches: readonly Batch[] }[]): readonly MicroResult[] {
  const each = measured.map(({ name, batches }) => ({ name, batches, ns: batches.map(({ ms, iterations }) => (ms * 1e6) / iterations) }));
  const first = Math.min(...(each[0]?.ns ?? []));
  return each.map(({ name, batches, ns }) => {
    const fastestNs = Math.min(...ns);
    const bytes = Math.min(...batches.map((batch) => batch.bytes / batch.iterations));
    return { name, fastestNs, medianNs: median(ns), ratio: fastestNs / first, bytes };
  });
}
