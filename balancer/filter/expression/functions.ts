// The functions and methods of expressions, each with the types it takes; the first argument of a method is what it is called on.
import { isTimeZone } from '../../config/cron.ts';
import { charge, stepsOfText, TOO_COSTLY, type Frame } from './compiled.ts';
import {
  BOOL,
  DOUBLE,
  DURATION,
  DYN,
  Failed,
  INT,
  Instant,
  isList,
  isObject,
  kindOf,
  listType,
  mapType,
  namesIn,
  Span,
  STRING,
  TIMESTAMP,
  type ValueType,
} from './values.ts';

export interface FunctionDefinition {
  readonly name: string;
  /** How it may be called: `f(x)`, `x.f()` or both. */
  readonly form: 'function' | 'method' | 'both';
  readonly args: readonly ValueType[];
  readonly result: ValueType;
  /** For the page. */
  readonly example: string;
  readonly act: (args: readonly unknown[], frame: Frame<unknown>) => unknown;
}

const LIST = listType(DYN);
const MAP = mapType(DYN);

type TextTest = (text: string, part: string) => boolean;

const textTest = (name: string, test: TextTest): FunctionDefinition => ({
  ...{ name, form: 'method', args: [STRING, STRING], result: BOOL, example: `request.path.${name}("/a")` },
  act: ([text, part], frame) => (charge(frame, stepsOfText(String(text).length)) ? test(String(text), String(part)) : TOO_COSTLY),
});

const textChange = (name: string, example: string, change: (text: string) => string): FunctionDefinition => ({
  ...{ name, form: 'method', args: [STRING], result: STRING, example },
  act: ([text], frame) => (charge(frame, stepsOfText(String(text).length)) ? change(String(text)) : TOO_COSTLY),
});

const size = (of: ValueType, example: string, count: (value: unknown) => number): FunctionDefinition => ({
  ...{ name: 'size', form: 'both', args: [of], result: INT, example },
  act: ([value], frame) => (charge(frame, 1) ? count(value) : TOO_COSTLY),
});

/** What a date is asked for, of UTC. */
const PARTS = {
  getFullYear: (date: Date) => date.getUTCFullYear(),
  getMonth: (date: Date) => date.getUTCMonth(),
  getDate: (date: Date) => date.getUTCDate(),
  getDayOfWeek: (date: Date) => date.getUTCDay(),
  getHours: (date: Date) => date.getUTCHours(),
  getMinutes: (date: Date) => date.getUTCMinutes(),
  getSeconds: (date: Date) => date.getUTCSeconds(),
};

/** Steps that it takes to know what time it is elsewhere. */
const STEPS_OF_ZONE = 100;

const dateParts: readonly FunctionDefinition[] = Object.entries(PARTS).flatMap(([name, part]): readonly FunctionDefinition[] => [
  {
    ...{ name, form: 'method', args: [TIMESTAMP], result: INT, example: `request.time.${name}()` },
    act: ([at]) => part(new Date(at instanceof Instant ? at.ms : NaN)),
  },
  {
    ...{ name, form: 'method', args: [TIMESTAMP, STRING], result: INT, example: `request.time.${name}("Europe/Berlin")` },
    act: ([at, zone], frame) => {
      if (!charge(frame, STEPS_OF_ZONE)) return TOO_COSTLY;
      const there = inZone(at instanceof Instant ? at.ms : NaN, String(zone));
      return there === null ? new Failed('value', 'the name of a time zone is none') : part(there);
    },
  },
]);

const clocks = new Map<string, Intl.DateTimeFormat>();
/** Zones that are remembered: texts of the file name few. */
const MOST_CLOCKS = 64;

/** A date whose UTC parts are those of the zone; null: there is no such zone. */
function inZone(ms: number, zone: string): Date | null {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    if (!isTimeZone(zone)) return null;
    clock = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...NUMERIC });
    if (clocks.size < MOST_CLOCKS) clocks.set(zone, clock);
  }
  const of = new Map(clock.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => of.get(type) ?? 0;
  return new Date(Date.UTC(number('year'), number('month') - 1, number('day'), number('hour'), number('minute'), number('second')));
}

const NUMERIC: Intl.DateTimeFormatOptions = {
  ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
  ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
};

export const FUNCTIONS: readonly FunctionDefinition[] = [
  size(STRING, 'size(request.path)', (text) => Array.from(String(text)).length),
  size(LIST, 'size(consumer.groups)', (list) => (isList(list) ? list.length : 0)),
  size(MAP, 'size(claims)', (map) => (isObject(map) ? namesIn(map).length : 0)),
  textTest('startsWith', (text, part) => text.startsWith(part)),
  textTest('endsWith', (text, part) => text.endsWith(part)),
  textTest('contains', (text, part) => text.includes(part)),
  textChange('lowerAscii', 'request.host.lowerAscii()', (text) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  textChange('upperAscii', 'request.host.upperAscii()', (text) => text.replace(/[a-z]+/g, (part) => part.toUpperCase())),
  { name: 'int', form: 'function', args: [DYN], result: INT, example: 'int(claims.level)', act: ([value]) => toInt(value) },
  { name: 'double', form: 'function', args: [DYN], result: DOUBLE, example: 'double(claims.score)', act: ([value]) => toDouble(value) },
  { name: 'string', form: 'function', args: [DYN], result: STRING, example: 'string(claims.tenant)', act: ([value]) => toText(value) },
  {
    name: 'timestamp',
    form: 'function',
    args: [DYN],
    result: TIMESTAMP,
    example: 'timestamp("2030-01-01T00:00:00Z")',
    act: ([value]) => toInstant(value),
  },
  {
    name: 'duration',
    form: 'function',
    args: [STRING],
    result: DURATION,
    example: 'duration("1h30m")',
    act: ([value]) => toSpan(String(value)),
  },
  ...dateParts,
];

const no = (value: unknown, what: string): Failed => new Failed('value', `a ${kindOf(value)} is no ${what}`);

function toInt(value: unknown): number | Failed {
  const number =
    value instanceof Instant ? Math.floor(value.ms / 1000) : typeof value === 'string' && !/^[+-]?[0-9]{1,16}$/.test(value) ? NaN : value;
  const whole = typeof number === 'number' || typeof number === 'string' ? Math.trunc(Number(number)) : NaN;
  return Number.isSafeInteger(whole) ? whole + 0 : no(value, 'int');
}

function toDouble(value: unknown): number | Failed {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^[+-]?[0-9]{1,300}(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?$/.test(value)
    ? Number(value)
    : no(value, 'double');
}

function toText(value: unknown): string | Failed {
  if (value instanceof Instant) return Number.isNaN(new Date(value.ms).getTime()) ? no(value, 'string') : new Date(value.ms).toISOString();
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : no(value, 'string');
}

/** RFC 3339. */
const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/;

/** A text of RFC 3339, or seconds since 1970, as claims of tokens tell them. */
function toInstant(value: unknown): Instant | Failed {
  if (value instanceof Instant) return value;
  const ms = typeof value === 'number' ? value * 1000 : typeof value === 'string' && TIME.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(new Date(ms).getTime()) ? no(value, 'timestamp') : new Instant(ms);
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const SPAN = /^-?(?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:h|ms|m|s))+$/;

function toSpan(text: string): Span | Failed {
  if (text.length > 100 || !SPAN.test(text)) return new Failed('value', 'a string is no duration such as 1h30m');
  let ms = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([0-9.]+)(h|ms|m|s)/g)) ms += Number(amount) * (UNIT_MS[unit] ?? 0);
  return new Span(text.startsWith('-') ? -ms : ms);
}
