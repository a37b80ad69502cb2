// A comparison: the same work through every contender to the same origin, in interleaved rounds; one table per part and size.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../certificate.ts';
import type { Contender, Wiring } from '../contender.ts';
import { describeMachine, machineLine } from '../machine.ts';
import { measure, type MeasureSetting, type Measurement, type Subject } from '../measure.ts';
import { startOrigin, type StartOrigin } from '../origin.ts';
import type { Scenario } from '../scenario.ts';
import { originHeadroom, summarize, summaryTable, type ContenderRounds, type Round } from '../summary.ts';
import type { Workload } from '../workload.ts';
import { COMPARISON_OPTION_LINES, readComparisonOptions, type ComparisonOptions } from './comparison-options.ts';

/** What a workload may need to know before it can start. */
export interface Preparation {
  readonly options: ComparisonOptions;
  readonly contenders: readonly Contender[];
  readonly connections: number;
  /** One short measurement with another workload. */
  readonly tryOut: (subject: Subject) => Promise<Measurement>;
}

/** Work of one kind: a table for each number of connections. */
export interface Part {
  /** Empty when the scenario has no other part. */
  readonly title: string;
  readonly connections: readonly number[];
  /** Fails when this machine lacks what makes the load; the message names the command that installs it. */
  prepare(preparation: Preparation): Promise<Workload>;
}

/** What is compared with what. */
export interface Comparison {
  readonly name: string;
  readonly summary: string;
  readonly wiring: Wiring;
  readonly contenders: readonly Contender[];
  /** The contender that ratios are taken to. */
  readonly reference: string;
  readonly parts: readonly Part[];
  /** Default: small answers. */
  readonly origin?: StartOrigin;
  /** Where the scenario needs another length than most. */
  readonly seconds?: number;
}

interface Chosen {
  readonly contender: Contender;
  readonly version: string;
}

interface Setting {
  readonly comparison: Comparison;
  readonly options: ComparisonOptions;
  readonly chosen: readonly Chosen[];
  readonly measuring: MeasureSetting;
}

interface Table {
  readonly part: string;
  readonly connections: number;
  /** Null: the load could not be prepared. */
  readonly load: string | null;
  readonly unit: string;
  readonly contenders: readonly ContenderRounds[];
  readonly problem: string | null;
}

const say = (text: string): void => void process.stdout.write(text);
const progress = (text: string): void => void process.stderr.write(text);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function oneRound(subject: Subject, measuring: MeasureSetting): Promise<Round> {
  try {
    return { ok: true, measurement: await measure(subject, measuring) };
  } catch (error) {
    measuring.signal.throwIfAborted();
    return { ok: false, problem: messageOf(error) };
  }
}

/** All contenders once, then all of them again: what the machine does besides falls on all alike. */
async function interleave({ options, chosen, measuring }: Setting, workload: Workload, connections: number) {
  const rounds = new Map<string, Round[]>(chosen.map(({ contender }) => [contender.name, []]));
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const { contender } of chosen) {
      const result = await oneRound({ contender, workload, connections }, measuring);
      rounds.get(contender.name)?.push(result);
      const outcome = result.ok ? `${workload.cost} ${result.measurement.cost.toFixed(1)}` : `failed: ${result.problem}`;
      progress(`${connections} connections, round ${round} of ${options.rounds}, ${contender.name}: ${outcome}\n`);
    }
  }
  return [...rounds].map(([contender, list]): ContenderRounds => ({ contender, rounds: list }));
}

async function oneTable(setting: Setting, part: Part, connections: number): Promise<Table> {
  const { comparison, options, chosen, measuring } = setting;
  const contenders = chosen.map(({ contender }) => contender);
  const heading = `${part.title === '' ? '' : `${part.title}, `}${connections} connections`;
  const table = { part: part.title, connections, load: null, unit: '', contenders: [], problem: null };
  try {
    const brief = { ...measuring, seconds: 1, warmUpSeconds: 1 };
    const workload = await part.prepare({ options, contenders, connections, tryOut: (subject) => measure(subject, brief) });
    const results = await interleave(setting, workload, connections);
    const summaries = summarize(results, comparison.reference);
    say(`\n${heading}, median of ${options.rounds} round(s) of ${options.seconds} s\nload: ${workload.description}\n`);
    say(summaryTable(summaries, { ...workload, reference: comparison.reference }));
    const headroom = originHeadroom(summaries);
    if (headroom !== null) say(`${headroom}\n`);
    return { ...table, load: workload.description, unit: workload.cost, contenders: results };
  } catch (error) {
    measuring.signal.throwIfAborted();
    say(`\n${heading}: not measured: ${messageOf(error)}\n`);
    return { ...table, problem: messageOf(error) };
  }
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

async function writeReport(setting: Setting, file: string, tables: readonly Table[]): Promise<void> {
  const { comparison, options, chosen, measuring } = setting;
  const { name, wiring, reference } = comparison;
  const versions = Object.fromEntries(chosen.map(({ contender, version }) => [contender.name, version]));
  const report = {
    kind: `bench/${name}`,
    machine: describeMachine(new Date()),
    versions,
    wiring,
    reference,
    origin: measuring.origin.description,
    options,
    tables: tables.map((table) => ({ ...table, summaries: summarize(table.contenders, reference) })),
  };
  await writeFile(file, JSON.stringify(report, null, 2) + '\n');
}

/** 1 when anything could not be measured, else 0. */
async function measureAll(setting: Setting): Promise<number> {
  const { comparison, options } = setting;
  const tables: Table[] = [];
  for (const part of comparison.parts) {
    for (const connections of options.connections ?? part.connections) tables.push(await oneTable(setting, part, connections));
  }
  if (options.jsonFile !== null) await writeReport(setting, options.jsonFile, tables);
  const whole = ({ problem, contenders }: Table): boolean =>
    problem === null && contenders.every(({ rounds }) => rounds.every(({ ok }) => ok));
  return tables.every(whole) ? 0 : 1;
}

async function run(comparison: Comparison, args: readonly string[], signal: AbortSignal): Promise<number> {
  const known = comparison.contenders.map(({ name }) => name);
  const options = readComparisonOptions(args, known, comparison.seconds);
  const { wiring } = comparison;
  say(`${machineLine(describeMachine(new Date()))}\n`);
  const chosen = await chooseContenders(comparison.contenders, options.contenders);
  if (chosen.length === 0) return 1;
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  try {
    const certificate = wiring.downstream === 'plain' && wiring.upstream !== 'tls' ? null : await makeCertificate(directory);
    const originDirectory = join(directory, 'origin');
    await mkdir(originDirectory);
    const origin = await (comparison.origin ?? startOrigin)(originDirectory, certificate);
    try {
      say(`  origin      ${origin.description}\n  wiring      ${wiring.downstream} in, ${wiring.upstream} out\n`);
      const { seconds, warmUpSeconds } = options;
      const measuring = { wiring, certificate, origin, seconds, warmUpSeconds, directory, signal };
      return await measureAll({ comparison, options, chosen, measuring });
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
