// Scenario `all`: every other scenario, one after the other, with one report; one that fails does not hide the others.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError, type Scenario } from '../scenario.ts';

/** Handed on to the scenarios that have them. */
const PASSED_ON = ['rounds', 'seconds', 'warm-up', 'quick'] as const;

export interface AllOptions {
  readonly scenarios: readonly Scenario[];
  readonly jsonFile: string | null;
  /** Of one scenario. */
  readonly argumentsOf: (scenario: Scenario) => readonly string[];
}

/** Reads the options; fails on a scenario that is not among `known`. */
export function readAllOptions(args: readonly string[], known: readonly Scenario[]): AllOptions {
  const text = { type: 'string' } as const;
  const options = { only: text, rounds: text, seconds: text, 'warm-up': text, json: text, quick: { type: 'boolean' } } as const;
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const names = values.only?.split(',') ?? known.map(({ name }) => name);
  const stranger = names.find((name) => !known.some((scenario) => scenario.name === name));
  if (stranger !== undefined)
    throw new UsageError(`--only ${stranger}: there is none of that name; known: ${known.map(({ name }) => name).join(', ')}`);
  const given = PASSED_ON.flatMap((option) => {
    const value = values[option];
    if (value === undefined || value === false) return [];
    return [{ option: `--${option}`, words: value === true ? [`--${option}`] : [`--${option}`, value] }];
  });
  return {
    scenarios: known.filter(({ name }) => names.includes(name)),
    jsonFile: values.json ?? null,
    argumentsOf: (scenario) =>
      given.flatMap(({ option, words }) => (scenario.options.some((line) => line.startsWith(`${option} `)) ? words : [])),
  };
}

interface Outcome {
  readonly scenario: string;
  readonly exitCode: number;
  readonly problem: string | null;
  /** What the scenario wrote for `--json`; null when it did not come so far. */
  readonly report: unknown;
}

async function runOne(scenario: Scenario, args: readonly string[], file: string, signal: AbortSignal): Promise<Outcome> {
  process.stdout.write(`\n== ${scenario.name}: ${scenario.summary}\n`);
  let problem: string | null = null;
  let exitCode = 1;
  try {
    exitCode = await scenario.run([...args, '--json', file], signal);
  } catch (error) {
    signal.throwIfAborted();
    problem = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${scenario.name} failed: ${problem}\n`);
  }
  const text = await readFile(file, 'utf8').catch(() => 'null');
  const report: unknown = JSON.parse(text);
  return { scenario: scenario.name, exitCode, problem, report };
}

async function run(known: readonly Scenario[], args: readonly string[], signal: AbortSignal): Promise<number> {
  const { scenarios, jsonFile, argumentsOf } = readAllOptions(args, known);
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-all-'));
  const outcomes: Outcome[] = [];
  try {
    for (const scenario of scenarios) {
      outcomes.push(await runOne(scenario, argumentsOf(scenario), join(directory, `${scenario.name}.json`), signal));
      // Written each time, so that what was measured is kept when a later scenario takes the whole run down.
      if (jsonFile !== null) await writeFile(jsonFile, JSON.stringify({ kind: 'bench/all', args, outcomes }, null, 2) + '\n');
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  const failed = outcomes.filter(({ exitCode }) => exitCode !== 0).map(({ scenario }) => scenario);
  process.stdout.write(`\n${outcomes.length - failed.length} of ${outcomes.length} scenarios measured all they should\n`);
  if (failed.length > 0) process.stdout.write(`not whole: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** The scenario that runs the others. */
export const allOf = (known: readonly Scenario[]): Scenario => ({
  name: 'all',
  summary: 'every scenario, one after the other',
  options: [
    '--only A,B            only these scenarios',
    '--json FILE           all results, machine-readable',
    '--rounds N, --seconds N, --warm-up N, --quick   handed on to the scenarios that have them',
  ],
  run: (args, signal) => run(known, args, signal),
});
