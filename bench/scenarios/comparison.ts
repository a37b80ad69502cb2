// A comparison: small GETs on kept connections through every contender to the same origin; the price of a request in CPU time.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from '../contender.ts';
import { chooseLoadDriver, type LoadDriver } from '../load-driver.ts';
import { describeMachine, machineLine } from '../machine.ts';
import { measure } from '../measure.ts';
import { startOrigin, type StartedOrigin } from '../origin.ts';
import type { Scenario } from '../scenario.ts';
import { summarize, summaryTable, type ContenderRounds, type Round } from '../summary.ts';
import { COMPARISON_OPTION_LINES, readComparisonOptions, type ComparisonOptions } from './comparison-options.ts';

interface Chosen {
  readonly contender: Contender;
  readonly version: string;
}

/** What is compared with what. */
export interface Comparison {
  readonly name: string;
  readonly summary: string;
  readonly contenders: readonly Contender[];
  /** The contender that ratios are taken to. */
  readonly reference: string;
}

interface Setting {
  readonly comparison: Comparison;
  readonly options: ComparisonOptions;
  readonly contenders: readonly Chosen[];
  readonly origin: StartedOrigin;
  readonly driver: LoadDriver;
  readonly directory: string;
  readonly signal: AbortSignal;
}

const say = (text: string): void => void process.stdout.write(text);
const progress = (text: string): void => void process.stderr.write(text);

async function oneRound(setting: Setting, contender: Contender, connections: number): Promise<Round> {
  const { options, origin, driver, directory, signal } = setting;
  try {
    const { seconds, warmUpSeconds } = options;
    const measurement = await measure({ contender, origin, driver, connections, seconds, warmUpSeconds, directory }, signal);
    return { ok: true, measurement };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** All contenders once, then all of them again: what the machine does besides falls on all alike. */
async function interleave(setting: Setting, connections: number): Promise<readonly ContenderRounds[]> {
  const rounds = new Map<string, Round[]>(setting.contenders.map(({ contender }) => [contender.name, []]));
  for (let round = 1; round <= setting.options.rounds; round += 1) {
    for (const { contender } of setting.contenders) {
      const result = await oneRound(setting, contender, connections);
      rounds.get(contender.name)?.push(result);
      const outcome = result.ok ? `${result.measurement.cpuPerRequest.toFixed(1)} µs/request` : `failed: ${result.problem}`;
      progress(`${connections} connections, round ${round} of ${setting.options.rounds}, ${contender.name}: ${outcome}\n`);
    }
  }
  return [...rounds].map(([contender, list]) => ({ contender, rounds: list }));
}

/** Names what runs and what cannot, with the command that installs it. */
async function chooseContenders(all: readonly Contender[], names: readonly string[]): Promise<readonly Chosen[]> {
  const chosen: Chosen[] = [];
  for (const contender of all.filter(({ name }) => names.includes(name))) {
    const availability = await contender.available();
    if (availability.ok) chosen.push({ contender, version: availability.version });
    const state = availability.ok ? `${availability.version}: ${contender.summary}` : `missing, install it with: ${availability.missing}`;
    say(`  ${contender.name.padEnd(10)}  ${state}\n`);
  }
  return chosen;
}

async function measureAll(setting: Setting): Promise<number> {
  const { comparison, options, origin, driver } = setting;
  const { reference } = comparison;
  const results: { connections: number; contenders: readonly ContenderRounds[] }[] = [];
  for (const connections of options.connections) {
    const contenders = await interleave(setting, connections);
    results.push({ connections, contenders });
    say(`\n${connections} connections, median of ${options.rounds} round(s) of ${options.seconds} s\n`);
    say(summaryTable(summarize(contenders, reference), reference));
  }
  if (options.jsonFile !== null) {
    const machine = describeMachine(new Date());
    const tables = results.map(({ connections, contenders }) => ({ connections, summaries: summarize(contenders, reference), contenders }));
    const versions = Object.fromEntries(setting.contenders.map(({ contender, version }) => [contender.name, version]));
    const report = {
      kind: `bench/${comparison.name}`,
      machine,
      versions,
      origin: origin.description,
      load: driver.description,
      options,
      tables,
    };
    await writeFile(options.jsonFile, JSON.stringify(report, null, 2) + '\n');
  }
  const failedRounds = results.flatMap(({ contenders }) => contenders.flatMap(({ rounds }) => rounds.filter((round) => !round.ok)));
  return failedRounds.length > 0 ? 1 : 0;
}

async function run(comparison: Comparison, args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readComparisonOptions(
    args,
    comparison.contenders.map(({ name }) => name),
  );
  say(`${machineLine(describeMachine(new Date()))}\n`);
  const contenders = await chooseContenders(comparison.contenders, options.contenders);
  if (contenders.length === 0) return 1;
  const driver = await chooseLoadDriver(options.load);
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const originDirectory = join(directory, 'origin');
    await mkdir(originDirectory);
    const origin = await startOrigin(originDirectory);
    try {
      say(`  origin      ${origin.description}\n  load        ${driver.description}\n`);
      return await measureAll({ comparison, options, contenders, origin, driver, directory, signal });
    } finally {
      await origin.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The scenario that runs a comparison. */
export function compare(comparison: Comparison): Scenario {
  const { name, summary } = comparison;
  return { name, summary, options: COMPARISON_OPTION_LINES, run: (args, signal) => run(comparison, args, signal) };
}
