// Scenario `failover`: one of two clusters is lost or half broken under load, and what clients see of it behind each proxy.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { LossContender } from '../failover/contender.ts';
import { FAULTS, startCluster, type Fault, type Ground } from '../failover/faults.ts';
import { haproxy } from '../failover/haproxy.ts';
import { nginx } from '../failover/nginx.ts';
import { decodeSamples, figuresOf, SLOW_MS, type LossFigures } from '../failover/samples.ts';
import { weir } from '../failover/weir.ts';
import { describeMachine, machineLine } from '../machine.ts';
import { launch } from '../processes.ts';
import { UsageError, type Scenario } from '../scenario.ts';
import { median, renderTable } from '../statistics.ts';

const CONTENDERS: readonly LossContender[] = [weir, nginx, haproxy];
/** Of load before the fault: what learns from latencies has seen some. */
const WARM_UP_SECONDS = 5;
const LOAD = join(import.meta.dirname, '../failover/load-process.ts');

interface Options {
  readonly contenders: readonly LossContender[];
  readonly faults: readonly Fault[];
  readonly rounds: number;
  /** Of load after the fault; null: as long as each fault has it. */
  readonly seconds: number | null;
  /** Null: nowhere. */
  readonly jsonFile: string | null;
}

interface Result {
  readonly fault: string;
  readonly contender: string;
  /** One per round. */
  readonly rounds: readonly LossFigures[];
}

const say = (text: string): void => void process.stdout.write(text);

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const options = { contenders: text, faults: text, rounds: text, seconds: text, json: text, quick: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function named<T extends { readonly name: string }>(option: string, text: string | undefined, all: readonly T[]): readonly T[] {
  const names = text?.split(',') ?? all.map(({ name }) => name);
  const known = all.map(({ name }) => name);
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new UsageError(`${option} ${stranger}: there is none of that name; known: ${known.join(', ')}`);
  return all.filter(({ name }) => names.includes(name));
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new UsageError(`${option} ${text}: expected a whole number from 1 on`);
  return value;
}

function readOptions(args: readonly string[]): Options {
  const { contenders, faults, rounds, seconds, json, quick } = parse(args);
  const least = quick === true ? '1' : undefined;
  const length = seconds ?? least;
  return {
    contenders: named('--contenders', contenders, CONTENDERS),
    faults: named('--faults', faults, FAULTS),
    rounds: wholeNumber('--rounds', rounds ?? least ?? '3'),
    seconds: length === undefined ? null : wholeNumber('--seconds', length),
    jsonFile: json ?? null,
  };
}

/** Everything new: clusters, contender, load. */
async function measure(fault: Fault, contender: LossContender, ground: Ground, seconds: number): Promise<LossFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-bench-'));
  const stops: (() => Promise<void>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const lost = await startCluster(ground.where);
    stops.push(() => lost.stop());
    const kept = await startCluster();
    stops.push(() => kept.stop());
    const started = await contender.start({ clusters: { lost: lost.addresses, kept: kept.addresses }, directory });
    stops.push(() => started.stop());
    const file = join(directory, 'samples.json');
    const load = [LOAD, started.port, fault.ratePerSecond, WARM_UP_SECONDS + seconds, file].map(String);
    const running = await launch(process.execPath, load);
    stops.push(() => running.stop());
    await delay(WARM_UP_SECONDS * 1000);
    if ((await lost.asked()) === 0) throw new Error(`${contender.name} sends nothing to the cluster that is to be lost`);
    const faultMs = performance.timeOrigin + performance.now();
    await ground.lose(lost);
    await running.exited;
    return figuresOf(decodeSamples(await readFile(file, 'utf8')), faultMs);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Contenders in turn in every round, each before clusters of its own; null: the fault cannot be made here. */
async function measureFault(
  fault: Fault,
  { contenders, rounds, seconds }: Options,
  signal: AbortSignal,
): Promise<readonly Result[] | null> {
  const figures = new Map<string, LossFigures[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of contenders) {
      signal.throwIfAborted();
      const ground = await fault.prepare();
      if (typeof ground === 'string') {
        say(`\n${fault.name}: not measured: ${ground}\n`);
        return null;
      }
      try {
        const found = await measure(fault, contender, ground, seconds ?? fault.seconds);
        figures.get(contender.name)?.push(found);
        const { failed, slow, cleanAfterSeconds } = found;
        process.stderr.write(
          `${fault.name}, round ${round} of ${rounds}, ${contender.name}: ${failed} failed, ${slow} slow, clean after ${cleanAfterSeconds.toFixed(1)} s\n`,
        );
      } finally {
        await ground.clear();
      }
    }
  }
  return [...figures].map(([contender, list]) => ({ fault: fault.name, contender, rounds: list }));
}

const middle = ({ rounds }: Result, read: (figures: LossFigures) => number): number => median(rounds.map(read));

/** Medians, with the worst round behind them, and the difference to the first contender. */
function table(results: readonly Result[]): string {
  const [first] = results;
  if (first === undefined) return '';
  const columns: readonly [(figures: LossFigures) => number, number][] = [
    [({ failed }) => failed, 0],
    [({ slow }) => slow, 0],
    [({ cleanAfterSeconds }) => cleanAfterSeconds, 1],
  ];
  const more = (value: number, digits: number): string => `${value < 0 ? '' : '+'}${value.toFixed(digits)}`;
  const rows = results.map((result) => [
    result.contender,
    middle(result, ({ requests }) => requests).toFixed(0),
    ...columns.flatMap(([read, digits]) => [middle(result, read).toFixed(digits), Math.max(...result.rounds.map(read)).toFixed(digits)]),
    middle(result, ({ slowestMs }) => slowestMs).toFixed(0),
    result === first ? '' : columns.map(([read, digits]) => more(middle(result, read) - middle(first, read), digits)).join(' / '),
  ]);
  const header = ['contender', 'requests', 'failed', 'worst', `> ${SLOW_MS} ms`, 'worst', 'clean after s', 'worst', 'slowest ms'];
  return renderTable([...header, `beside ${first.contender}`], rows);
}

async function chooseInstalled(wanted: readonly LossContender[]): Promise<readonly LossContender[]> {
  const chosen: LossContender[] = [];
  for (const contender of wanted) {
    const found = await contender.available();
    if (found.ok) chosen.push(contender);
    const state = found.ok ? `${found.version}: ${contender.summary}` : `missing, install it with: ${found.missing}`;
    say(`  ${contender.name.padEnd(10)}  ${state}\n`);
  }
  return chosen;
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  const machine = describeMachine(new Date());
  say(`${machineLine(machine)}\n`);
  const contenders = await chooseInstalled(options.contenders);
  if (contenders.length === 0) return 1;
  const results: Result[] = [];
  let whole = true;
  for (const fault of options.faults) {
    const found = await measureFault(fault, { ...options, contenders }, signal);
    whole &&= found !== null;
    if (found === null) continue;
    results.push(...found);
    const seconds = options.seconds ?? fault.seconds;
    say(
      `\n${fault.name}: ${fault.summary}; ${fault.ratePerSecond} requests/s, ${seconds} s, median of ${options.rounds} round(s)\n${table(found)}`,
    );
    if (options.jsonFile !== null)
      await writeFile(options.jsonFile, JSON.stringify({ kind: 'bench/failover', machine, results }, null, 2) + '\n');
  }
  return whole ? 0 : 1;
}

export const lostClusters: Scenario = {
  name: 'failover',
  summary: 'one of two clusters is lost or half broken: failed and slow requests, and seconds until clean',
  options: [
    '--contenders A,B      only these (default: all that are installed)',
    `--faults A,B          only these of ${FAULTS.map(({ name }) => name).join(', ')}`,
    '--rounds N            rounds with the contenders in turn, the median counts (default: 3)',
    '--seconds N           of load after the fault (default: by fault, 10 to 15)',
    '--json FILE           all rounds, machine-readable',
    '--quick               one round of 1 s, to see that it works',
  ],
  run,
};
