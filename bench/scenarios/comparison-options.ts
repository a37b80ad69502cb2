// The command line of a comparison: text in, numbers and names that make sense out, or a sentence on what is wrong.
import { parseArgs } from 'node:util';
import { UsageError } from '../scenario.ts';

export interface ComparisonOptions {
  readonly contenders: readonly string[];
  /** Null: what the scenario has for each of its parts. */
  readonly connections: readonly number[] | null;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly load: 'auto' | 'wrk' | 'own';
  /** Where the machine-readable results go; null: nowhere. */
  readonly jsonFile: string | null;
}

const DEFAULTS = { rounds: 5, seconds: 4, warmUp: 4 };
/** To see that a scenario works; no figures to quote. */
const QUICK = { rounds: 1, seconds: 1, warmUp: 1 };

export const COMPARISON_OPTION_LINES: readonly string[] = [
  '--contenders A,B      only these (default: all that are installed)',
  '--connections N,M     client connections, a table for each (default: by scenario)',
  '--rounds N            interleaved rounds, the median counts (default: 5)',
  '--seconds N           measured seconds a round (default: 4; idle: 15 quiet seconds)',
  '--warm-up N           seconds of load before each measurement, for compilers and pools to settle (default: 4)',
  '--load auto|wrk|own   who makes the load (default: wrk when it is installed)',
  '--json FILE           all rounds, machine-readable',
  '--quick               one round of 1 s, to see that it works',
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

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { contenders: text, connections: text, rounds: text, seconds: text, 'warm-up': text, load: text, json: text };
  try {
    return parseArgs({ args: [...args], options: { ...options, quick: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the options; `known` are the names of all contenders, `seconds` the length of a round when none is asked for. */
export function readComparisonOptions(args: readonly string[], known: readonly string[], seconds = DEFAULTS.seconds): ComparisonOptions {
  const values = parse(args);
  const defaults = values.quick === true ? QUICK : { ...DEFAULTS, seconds };
  const number = (option: 'rounds' | 'seconds' | 'warm-up', fallback: number): number =>
    wholeNumber(`--${option}`, values[option] ?? String(fallback), option === 'warm-up' ? 0 : 1);
  const contenders = values.contenders?.split(',') ?? known;
  const stranger = contenders.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new UsageError(`--contenders ${stranger}: there is none of that name; known: ${known.join(', ')}`);
  return {
    contenders: known.filter((name) => contenders.includes(name)),
    connections: values.connections?.split(',').map((text) => wholeNumber('--connections', text, 1)) ?? null,
    rounds: number('rounds', defaults.rounds),
    seconds: number('seconds', defaults.seconds),
    warmUpSeconds: number('warm-up', defaults.warmUp),
    load: loadOf(values.load ?? 'auto'),
    jsonFile: values.json ?? null,
  };
}
