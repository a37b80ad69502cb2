// Scenario `micro`: single functions of the request path, compared within one process.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { describeMachine, machineLine } from '../machine.ts';
import { compareApart } from '../micro/apart.ts';
import { casesOf, compare, type MicroResult, type MicroSubject } from '../micro/harness.ts';
import { SUBJECTS } from '../micro/registry.ts';
import { UsageError, type Scenario } from '../scenario.ts';
import { renderTable } from '../statistics.ts';

const BATCH_MS = 20;
const DEFAULT_ROUNDS = 15;
const MOST_ROUNDS = 1_000;

const allocatedBytes = (): number => getHeapStatistics().total_allocated_bytes;

interface MicroOptions {
  readonly subjects: readonly MicroSubject[];
  readonly rounds: number;
  readonly jsonFile: string | null;
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args: [...args], options: { subjects: text, rounds: text, json: text } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readOptions(args: readonly string[]): MicroOptions {
  const values = parse(args);
  const names = values.subjects?.split(',') ?? SUBJECTS.map(({ name }) => name);
  const known = SUBJECTS.map(({ name }) => name).join(', ');
  const stranger = names.find((name) => !SUBJECTS.some((subject) => subject.name === name));
  if (stranger !== undefined) throw new UsageError(`--subjects ${stranger}: there is none of that name; known: ${known}`);
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new UsageError(`--rounds ${values.rounds ?? ''}: expected a whole number from 1 to ${MOST_ROUNDS}`);
  }
  return { subjects: SUBJECTS.filter(({ name }) => names.includes(name)), rounds, jsonFile: values.json ?? null };
}

function table(results: readonly MicroResult[]): string {
  const rows = results.map(({ name, fastestNs, medianNs, ratio, bytes }) => [
    ...[name, fastestNs.toFixed(1), medianNs.toFixed(1), ratio.toFixed(2)],
    bytes.toFixed(0),
  ]);
  return renderTable(['case', 'fastest ns', 'median ns', '× first', 'bytes'], rows);
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { subjects, rounds, jsonFile } = readOptions(args);
  const machine = describeMachine(new Date());
  process.stdout.write(`${machineLine(machine)}\n`);
  const reports: { subject: string; results: readonly MicroResult[] }[] = [];
  for (const subject of subjects) {
    signal.throwIfAborted();
    const cases = await casesOf(subject);
    const setting = { rounds, batchMs: BATCH_MS, nowMs: () => performance.now(), allocatedBytes };
    const results = subject.apart === true ? await compareApart(subject, cases, setting) : compare(cases, setting);
    reports.push({ subject: subject.name, results });
    process.stdout.write(`\n${subject.name}: ${subject.summary}, ${rounds} rounds\n${table(results)}`);
    // Lets an interrupt through, which waits while a subject is measured.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (jsonFile !== null) await writeFile(jsonFile, JSON.stringify({ kind: 'bench/micro', machine, rounds, reports }, null, 2) + '\n');
  return 0;
}

export const micro: Scenario = {
  name: 'micro',
  summary: 'time of single functions of the request path, as ratios between sizes or ways of doing it',
  options: [
    '--subjects A,B        only these (default: all)',
    `--rounds N            batches of each case, the fastest counts (default: ${DEFAULT_ROUNDS})`,
    '--json FILE           the figures, machine-readable',
  ],
  run,
};
