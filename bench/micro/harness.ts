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
  const prepared = cases.map((one) => ({ one, iterations: iterationsFor(one, setting), batchesNs: new Array<number>(), bytes: Infinity }));
  for (let round = 0; round < setting.rounds; round += 1) {
    const first = round % prepared.length;
    for (const entry of [...prepared.slice(first), ...prepared.slice(0, first)]) {
      const { one, iterations } = entry;
      const bytesBefore = setting.allocatedBytes();
      const startMs = setting.nowMs();
      keep(one.run(iterations));
      entry.batchesNs.push(((setting.nowMs() - startMs) * 1e6) / iterations);
      entry.bytes = Math.min(entry.bytes, (setting.allocatedBytes() - bytesBefore) / iterations);
    }
  }
  const fastest = prepared.map(({ batchesNs }) => Math.min(...batchesNs));
  return prepared.map(({ one, batchesNs, bytes }, index) => {
    const fastestNs = fastest[index] ?? Number.NaN;
    return { name: one.name, fastestNs, medianNs: median(batchesNs), ratio: fastestNs / (fastest[0] ?? Number.NaN), bytes };
  });
}
