// The log of decisions in the state directory: what every plan was made from, bounded by size and age. It is written behind the decision and never waited for.
import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../health/clock.ts';
import type { DecisionLogConfig } from '../config/decision-log-config.ts';
import type { Log } from '../log.ts';
import { DecisionEncoder, DECISIONS_HEADER } from '../steer/replay/decision-lines.ts';
import type { PlanInput, Planned } from '../steer/plan.ts';

/** Each file begins with all that the next decisions need, so the oldest can go. */
const FILES = 8;
/** What may wait for a slow disk; beyond it a new file is begun and the decisions in between are not in any. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** Until a disk that takes nothing is tried again. */
const RETRY_MS = 60_000;
const NAME = /^decisions-[0-9TZ]+\.jsonl$/;

export class DecisionLog {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #config: () => DecisionLogConfig;
  readonly #encoder = new DecisionEncoder();
  #file = '';
  #fileBytes = 0;
  #waiting = '';
  #writing: Promise<void> | null = null;
  #pausedUntilMs = -Infinity;

  constructor(directory: string, config: () => DecisionLogConfig, clock: Clock, log: Log) {
    this.#directory = directory;
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
  }

  add(input: PlanInput, planned: Planned): void {
    const { maxBytes } = this.#config();
    if (maxBytes === 0 || this.#clock.nowMs() < this.#pausedUntilMs) return;
    // The moment of the plan: by it a replay knows where what was on its way was.
    const at = new Date(input.wallMs ?? this.#clock.wallMs()).toISOString();
    if (this.#file === '' || this.#fileBytes >= maxBytes / FILES || this.#waiting.length > MAX_WAITING_BYTES) this.#begin(at);
    const lines = this.#encoder.encode(input, planned, at);
    this.#fileBytes += lines.length;
    this.#waiting += lines;
    this.#writing ??= this.#write();
  }

  /** What was decided so far is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #begin(at: string): void {
    const name = `decisions-${at.replace(/[-:.]/g, '')}.jsonl`;
    // Two in one millisecond: the second goes on in the file of the first.
    this.#file = join(this.#directory, name);
    this.#encoder.begin();
    this.#fileBytes = 0;
    this.#waiting = `${DECISIONS_HEADER}\n`;
  }

  async #write(): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      while (this.#waiting !== '') {
        const [file, text] = [this.#file, this.#waiting];
        this.#waiting = '';
        if (text.startsWith(DECISIONS_HEADER)) await this.#forget();
        await appendFile(file, text, { mode: 0o600 });
      }
    } catch (error) {
      this.#log.error({ problem: error instanceof Error ? error.message : String(error) }, 'decisions are not logged for a minute');
      this.#pausedUntilMs = this.#clock.nowMs() + RETRY_MS;
      this.#file = '';
      this.#waiting = '';
    }
    this.#writing = null;
  }

  /** What is too old, and the oldest until there is room for another file. */
  async #forget(): Promise<void> {
    const { maxBytes, maxAgeMs } = this.#config();
    const names = (await readdir(this.#directory)).filter((name) => NAME.test(name)).sort();
    const files = await Promise.all(
      names.map(async (name) => ({ path: join(this.#directory, name), ...sizeAndTime(await stat(join(this.#directory, name))) })),
    );
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    const oldestMs = this.#clock.wallMs() - maxAgeMs;
    for (const { path, size, mtimeMs } of files) {
      if (mtimeMs >= oldestMs && bytes <= maxBytes - maxBytes / FILES) continue;
      await rm(path, { force: true });
      bytes -= size;
    }
  }
}

function sizeAndTime({ size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): {
  readonly size: number;
  readonly mtimeMs: number;
} {
  return { size, mtimeMs };
}
