// The command line of the proxy scenario: text in, numbers and names that make sense out, or a sentence on what is wrong.
import { parseArgs } from 'node:util';
import { UsageError } from '../scenario.ts';

export interface ComparisonOptions {
  readonly contenders: readonly string[];
  readonly connections: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly load: 'auto' | 'wrk' | 'own';
  /** Where the machine-readable results go; null: nowhere. */
  readonly jsonFile: string | null;
}

export const COMPARISON_OPTION_LINES: readonly string[] = [
  '--contenders A,B      only these (default: all that are installed)',
  '--connections N,M     client connections, a table for each (default: 16,64,512)',
  '--rounds N            interleaved rounds, the median counts (default: 3)',
  '--seconds N           measured seconds a round (default: 4)',
  '--warm-up N           seconds of load before each measurement, for compilers and pools to settle (default: 4)',
  '--load auto|wrk|own   who makes the load (default: wrk when it is installed)',
  '--json FILE           all rounds, machine-readable',
];

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 100_000) {
    throw new UsageError(`${option} ${text}: expected a whole number from ${least} on, like ${option} ${Math.max(least, 4)}`);
  }
  return value;
}

function loadOf(text: string): ComparisonOptions['load'] {
  if (text === 'auto' || text === 'wrk' || text === 'own') return text;
  throw new UsageError(`--load ${text}: expected auto, wrk or own`);
}

function parse(args: readonly string[]): Readonly<Record<string, string | undefined>> {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { contenders: text, connections: text, rounds: text, seconds: text, 'warm-up': text, load: text, json: text },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the options; `known` are the names of all contenders. */
export function readComparisonOptions(args: readonly string[], known: readonly string[]): ComparisonOptions {
  const values = parse(args);
  const contenders = values['contenders']?.split(',') ?? known;
  const stranger = contenders.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new UsageError(`--contenders ${stranger}: there is none of that name; known: ${known.join(', ')}`);
  return {
    contenders: known.filter((name) => contenders.includes(name)),
    connections: (values['connections'] ?? '16,64,512').split(',').map((text) => wholeNumber('--connections', text, 1)),
    rounds: wholeNumber('--rounds', values['rounds'] ?? '3', 1),
    seconds: wholeNumber('--seconds', values['seconds'] ?? '4', 1),
    warmUpSeconds: wholeNumber('--warm-up', values['warm-up'] ?? '4', 0),
    load: loadOf(values['load'] ?? 'auto'),
    jsonFile: values['json'] ?? null,
  };
}
