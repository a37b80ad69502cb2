// `npm run fuzz -- TARGET|all [--seconds N] [--seed N] [--keep]`: tries mutated inputs on a parser until the time is over or nothing is left to find.
import { parseArgs } from 'node:util';
import { seededRandom } from '../support/seeded-random.ts';
import { keepInput, keptInputs } from './corpus.ts';
import { Mutator } from './mutate.ts';
import { FUZZ_TARGETS } from './registry.ts';
import type { FuzzTarget, OpenTarget } from './target.ts';

interface Wish {
  readonly seconds: number;
  readonly seed: number;
  /** Inputs that bring something new go to the corpus, small ones first to come. */
  readonly keep: boolean;
}

/** Longer inputs are not kept, and not more than so many of a run. */
const MAX_KEPT_LENGTH = 2048;
const MAX_KEPT = 40;
/** One cause shows in many inputs. */
const MAX_FINDINGS = 5;

class Run {
  executions = 0;
  findings = 0;
  readonly #target: FuzzTarget;
  readonly #open: OpenTarget;
  readonly #wish: Wish;
  readonly #mutator: Mutator;
  readonly #random: () => number;
  readonly #inputs: string[];
  readonly #seen = new Set<string>();
  #kept = 0;

  constructor(target: FuzzTarget, open: OpenTarget, wish: Wish) {
    this.#target = target;
    this.#open = open;
    this.#wish = wish;
    this.#random = seededRandom(wish.seed);
    this.#mutator = new Mutator(this.#random, target.dictionary);
    this.#inputs = [...new Set([...target.seeds, ...keptInputs(target.name).map(({ input }) => input)])];
  }

  get outcomes(): number {
    return this.#seen.size;
  }

  /** As they are, before anything is mutated. */
  async begin(): Promise<void> {
    for (const input of [...this.#inputs]) await this.#try(input, false);
  }

  async go(): Promise<void> {
    const endMs = performance.now() + this.#wish.seconds * 1000;
    const lane = async (): Promise<void> => {
      while (performance.now() < endMs && this.findings < MAX_FINDINGS) await this.#try(this.#next(), true);
    };
    await Promise.all(Array.from({ length: this.#target.parallel }, lane));
  }

  #next(): string {
    const pick = (): string => this.#inputs[Math.floor(this.#random() * this.#inputs.length)] ?? '';
    return this.#mutator.mutate(pick(), pick());
  }

  async #try(input: string, mutated: boolean): Promise<void> {
    this.executions += 1;
    try {
      const outcome = await this.#open.run(input);
      if (this.#seen.has(outcome)) return;
      this.#seen.add(outcome);
      if (!mutated) return;
      this.#inputs.push(input);
      if (!this.#wish.keep || input.length > MAX_KEPT_LENGTH || this.#kept >= MAX_KEPT) return;
      this.#kept += 1;
      keepInput(this.#target.name, 'new', input);
    } catch (error) {
      this.findings += 1;
      const path = keepInput(this.#target.name, 'finding', input);
      process.stderr.write(`${this.#target.name}: ${error instanceof Error ? error.message : String(error)}\n  ${path}\n`);
    }
  }
}

async function fuzz(target: FuzzTarget, wish: Wish): Promise<number> {
  const open = await target.open(seededRandom(wish.seed + 1));
  const run = new Run(target, open, wish);
  const startedMs = performance.now();
  await run.begin();
  await run.go();
  const seconds = (performance.now() - startedMs) / 1000;
  await open.close();
  const rate = Math.round(run.executions / seconds);
  const { executions, outcomes, findings } = run;
  process.stdout.write(
    `${target.name}: ${executions} executions in ${seconds.toFixed(0)} s (${rate}/s), ${outcomes} outcomes, ${findings} findings, seed ${wish.seed}\n`,
  );
  return findings;
}

const USAGE = `usage: npm run fuzz -- TARGET|all [--seconds N] [--seed N] [--keep]\n${FUZZ_TARGETS.map(({ name, summary }) => `  ${name.padEnd(19)}${summary}\n`).join('')}`;

/** What was asked for; a text: why it cannot be understood. */
function read(args: readonly string[]) {
  const options = {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function main(): Promise<number> {
  const asked = read(process.argv.slice(2));
  if (typeof asked === 'string') {
    process.stderr.write(`${asked}\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = asked;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [name] = positionals;
  // `http1` is every target whose name begins so.
  const targets = FUZZ_TARGETS.filter((target) => name === 'all' || target.name === name || target.name.startsWith(`${name ?? ''}-`));
  const seconds = Number(values.seconds);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (targets.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) {
    process.stderr.write(USAGE);
    return 2;
  }
  let findings = 0;
  for (const target of targets) findings += await fuzz(target, { seconds, seed, keep: values.keep });
  return findings > 0 ? 1 : 0;
}

process.exitCode = await main();
