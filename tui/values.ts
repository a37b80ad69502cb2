// What was typed after a command: arguments and options, read with checks that say what was expected.
import { CommandFailure, EXIT } from './exit.ts';

/** An option's value as the parser leaves it. */
export type OptionValue = string | boolean | readonly string[] | undefined;

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

export class CommandValues {
  readonly #arguments: readonly string[];
  readonly #options: Readonly<Record<string, OptionValue>>;

  constructor(args: readonly string[], options: Readonly<Record<string, OptionValue>>) {
    this.#arguments = args;
    this.#options = options;
  }

  /** All arguments, a variadic one spread out. */
  get arguments(): readonly string[] {
    return this.#arguments;
  }

  /** A required argument; the parser has seen to it that it is there. */
  argument(index: number): string {
    const value = this.#arguments[index];
    if (value === undefined) throw new CommandFailure(EXIT.usage, `argument ${index + 1} is missing`);
    return value;
  }

  /** `name` is the long flag in camel case: `--dry-run` is `dryRun`. */
  flag(name: string): boolean {
    return this.#options[name] === true;
  }

  text(name: string): string | null {
    const value = this.#options[name];
    return typeof value === 'string' ? value : null;
  }

  texts(name: string): readonly string[] | null {
    const value = this.#options[name];
    return Array.isArray(value) ? value.map(String) : null;
  }

  number(name: string, range: NumberRange): number | null {
    const text = this.text(name);
    return text === null ? null : parseNumber(text, flagOf(name), range);
  }

  /** `500ms 2s 5m 1h`, in milliseconds. */
  durationMs(name: string): number | null {
    const text = this.text(name);
    return text === null ? null : parseDurationMs(text, flagOf(name));
  }
}

/** `what` names the value in the message. */
export function parseNumber(text: string, what: string, range: NumberRange): number {
  const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  const fits = value >= range.min && value <= range.max && (range.integer !== true || Number.isSafeInteger(value));
  if (!fits) {
    const kind = range.integer === true ? 'a whole number' : 'a number';
    const bound = range.max === Number.MAX_SAFE_INTEGER ? `of at least ${range.min}` : `from ${range.min} to ${range.max}`;
    throw new CommandFailure(EXIT.usage, `${what}: expected ${kind} ${bound}, got ${JSON.stringify(text)}`);
  }
  return value;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function parseDurationMs(text: string, what: string): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const unitMs = UNIT_MS[parts?.[2] ?? ''];
  if (parts === null || unitMs === undefined) {
    throw new CommandFailure(EXIT.usage, `${what}: expected a duration such as 500ms, 2s, 5m or 1h, got ${JSON.stringify(text)}`);
  }
  return Number(parts[1]) * unitMs;
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
