// Percentages as people type them, and the rule by which those that are not named share the rest.
import { MILLION } from '../config/config.ts';
import { apportion } from './apportion.ts';
import type { Refusal } from './intent.ts';

/** Millionths in one percent: the fourth decimal of a percentage is exactly one millionth. */
const PER_PERCENT = MILLION / 100;

/** How far a typed decimal may be from a whole number of millionths: far above the error of doubles, far below a fifth decimal. */
const DECIMAL_TOLERANCE = 1e-4;

/** `12.5`, `0.0001`, `100`: at most four decimals, no zeros at the end. */
export function formatPercent(millionths: number): string {
  return String(Number((millionths / PER_PERCENT).toFixed(4)));
}

/** Millionths of a typed percentage, or why it is none. `of` names it in the message, e.g. `version "green"`. */
export function parsePercent(percent: number, of: string): number | Refusal {
  const rule = 'a percentage is a number from 0 to 100 with up to 4 decimals, for example 12.5';
  if (!Number.isFinite(percent)) return usage(`${of}: ${percent} is not a percentage; ${rule}`);
  if (percent < 0) return usage(`${of}: ${percent} % is negative; ${rule}`);
  if (percent > 100) return usage(`${of}: ${percent} % is more than everything; ${rule}`);
  const millionths = Math.round(percent * PER_PERCENT);
  if (Math.abs(percent * PER_PERCENT - millionths) > DECIMAL_TOLERANCE) return usage(`${of}: ${percent} % is too fine; ${rule}`);
  return millionths;
}

export interface DivideRequest {
  /** What is divided, for messages: `service "shop"`. */
  readonly subject: string;
  /** What it is divided among, for messages: `version`. */
  readonly noun: string;
  /** Every member with what it has now, in any unit. */
  readonly present: Readonly<Record<string, number>>;
  /** Millionths of the members that were named; only members of `present`. */
  readonly named: Readonly<Record<string, number>>;
}

/**
 * The named members get what they were given, the others share the rest in proportion to what they have. Refused when that says
 * nothing: the others have nothing to go by, or everything is named and does not add up to 100 %.
 */
export function divide({ subject, noun, present, named }: DivideRequest): Readonly<Record<string, number>> | Refusal {
  const sum = Object.values(named).reduce((total, part) => total + part, 0);
  const others = Object.keys(present).filter((name) => !Object.hasOwn(named, name));
  const said = Object.entries(named)
    .map(([name, part]) => `${name}=${formatPercent(part)}`)
    .join(' ');
  if (sum > MILLION) {
    return usage(`${subject}: ${said} add up to ${formatPercent(sum)} %, which is more than 100 %; lower one of them`);
  }
  if (others.length === 0 && sum === 0) {
    return usage(`${subject}: ${said} would give every ${noun} 0 %, and requests would have nowhere to go; give at least one more than 0`);
  }
  if (others.length === 0 && sum !== MILLION) {
    return usage(`${subject}: every ${noun} is named, so the percentages must add up to 100; ${said} add up to ${formatPercent(sum)}`);
  }
  const rest = MILLION - sum;
  const have = others.map((name) => present[name] ?? 0);
  if (rest > 0 && have.every((part) => part === 0)) {
    const fix = [...Object.keys(present)]
      .map((name) => `${name}=${Object.hasOwn(named, name) ? formatPercent(named[name] ?? 0) : '…'}`)
      .join(' ');
    return usage(
      `${subject}: ${said} leaves ${formatPercent(rest)} % for ${others.join(', ')}, which ${others.length === 1 ? 'has' : 'have'} 0 now, ` +
        `so there is no proportion to divide it by; name every ${noun}: ${fix}`,
    );
  }
  const parts = apportion(rest, have);
  return Object.fromEntries(
    Object.keys(present).map((name) => [name, Object.hasOwn(named, name) ? (named[name] ?? 0) : (parts[others.indexOf(name)] ?? 0)]),
  );
}

/** True for the way out of the functions of this part that answer with a value or with why there is none. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'kind' in value && 'message' in value && typeof value.message === 'string';
}

function usage(message: string): Refusal {
  return { kind: 'usage', message };
}
