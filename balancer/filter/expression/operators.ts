// The operators of expressions: which types they take, and what they do.
import { charge, stepsOfText, TOO_COSTLY, type Compiled, type Frame } from './compiled.ts';
import { ExpressionError } from './expression-error.ts';
import type { BinarySign } from './syntax.ts';
import {
  BOOL,
  DOUBLE,
  DURATION,
  Failed,
  fits,
  INT,
  Instant,
  isList,
  isObject,
  kindOf,
  memberOf,
  namesIn,
  Span,
  STRING,
  TIMESTAMP,
  typeText,
  type ValueType,
} from './values.ts';

interface Sides<S> {
  readonly left: Compiled<S>;
  readonly right: Compiled<S>;
  /** As it stands in the file, and where. */
  readonly text: string;
  readonly at: number;
}

export function compileBinary<S>(sign: BinarySign, sides: Sides<S>): Compiled<S> {
  const { left, right } = sides;
  const steps = left.steps + right.steps + 1;
  if (sign === '&&' || sign === '||') return { type: BOOL, steps, run: logical(sign === '&&', sides) };
  if (sign === '==' || sign === '!=') return { type: BOOL, steps, run: equality(sign === '==', sides) };
  if (sign === 'in') return { type: BOOL, steps, run: membership(sides) };
  if (sign === '+' || sign === '-' || sign === '*' || sign === '/' || sign === '%') return arithmetic(sign, sides);
  return { type: BOOL, steps, run: comparison(sign, sides) };
}

const wrongTypes = <S>(sign: string, { left, right, at }: Sides<S>, hint: string): ExpressionError =>
  new ExpressionError(at, `${sign} has a ${typeText(left.type)} before it and a ${typeText(right.type)} behind it; ${hint}`);

const isNumber = ({ kind }: ValueType): boolean => kind === 'int' || kind === 'double';
const mayCompare = (left: ValueType, right: ValueType): boolean => fits(left, right) || (isNumber(left) && isNumber(right));

/** What one side decides holds whatever becomes of the other one; else a failure of either is one of both. */
function logical<S>(isAnd: boolean, { left, right, at }: Sides<S>): Compiled<S>['run'] {
  for (const { type } of [left, right])
    if (type.kind !== 'bool' && type.kind !== 'dyn')
      throw new ExpressionError(
        at,
        `${isAnd ? '&&' : '||'} joins conditions, and one side is a ${typeText(type)}; compare it with something`,
      );
  const [leftRun, rightRun] = [left.run, right.run];
  const decided = !isAnd;
  return (frame) => {
    const first = leftRun(frame);
    if (first === decided) return decided;
    const second = rightRun(frame);
    if (second === decided) return decided;
    if (first instanceof Failed) return first;
    if (second instanceof Failed) return second;
    return typeof first === 'boolean' && typeof second === 'boolean' ? !decided : notBool();
  };
}

const notBool = (): Failed => new Failed('type', 'a condition is neither true nor false');

function equality<S>(wanted: boolean, sides: Sides<S>): Compiled<S>['run'] {
  const { left, right } = sides;
  if (!mayCompare(left.type, right.type) && left.type.kind !== 'null' && right.type.kind !== 'null')
    throw wrongTypes(wanted ? '==' : '!=', sides, 'they can never be equal');
  const [leftRun, rightRun] = [left.run, right.run];
  return (frame) => {
    const first = leftRun(frame);
    if (first instanceof Failed) return first;
    const second = rightRun(frame);
    if (second instanceof Failed) return second;
    const same = equal(first, second, frame);
    return same === null ? TOO_COSTLY : same === wanted;
  };
}

/** Null: it takes too many steps. Values of two types are not equal. */
export function equal(one: unknown, other: unknown, frame: Pick<Frame<unknown>, 'stepsLeft'>): boolean | null {
  if (typeof one === 'string') {
    if (one !== other) return false;
    return charge(frame, stepsOfText(one.length)) ? true : null;
  }
  if (!charge(frame, 1)) return null;
  if (one instanceof Instant) return other instanceof Instant && one.ms === other.ms;
  if (one instanceof Span) return other instanceof Span && one.ms === other.ms;
  if (isList(one)) return isList(other) && one.length === other.length && allEqual(one, (index) => other[index], frame);
  if (!isObject(one)) return one === other;
  if (!isObject(other)) return false;
  const names = namesIn(one);
  if (names.length !== namesIn(other).length) return false;
  return allEqual(
    names.map((name) => memberOf(one, name)),
    (index) => memberOf(other, names[index] ?? ''),
    frame,
  );
}

function allEqual(ones: readonly unknown[], otherAt: (index: number) => unknown, frame: Pick<Frame<unknown>, 'stepsLeft'>): boolean | null {
  for (const [index, one] of ones.entries()) {
    const other = otherAt(index);
    const same = other === undefined ? false : equal(one, other, frame);
    if (same !== true) return same;
  }
  return true;
}

function membership<S>(sides: Sides<S>): Compiled<S>['run'] {
  const { left, right } = sides;
  const { type } = right;
  const isGood =
    type.kind === 'dyn' ||
    (type.kind === 'list' && mayCompare(left.type, type.of)) ||
    (type.kind === 'map' && (left.type.kind === 'string' || left.type.kind === 'dyn'));
  if (!isGood) throw wrongTypes('in', sides, 'expected a value and a list of such, or the name of a member and a map');
  const [leftRun, rightRun] = [left.run, right.run];
  return (frame) => {
    const wanted = leftRun(frame);
    if (wanted instanceof Failed) return wanted;
    const among = rightRun(frame);
    if (among instanceof Failed) return among;
    if (isList(among)) return isAmong(wanted, among, frame);
    if (isObject(among)) return typeof wanted === 'string' && memberOf(among, wanted) !== undefined;
    return new Failed('type', `"in" looks into a ${kindOf(among)}, which holds nothing`);
  };
}

function isAmong(wanted: unknown, among: readonly unknown[], frame: Frame<unknown>): boolean | Failed {
  for (const one of among) {
    if (!charge(frame, 1)) return TOO_COSTLY;
    const same = equal(wanted, one, frame);
    if (same === null) return TOO_COSTLY;
    if (same) return true;
  }
  return false;
}

const ORDERED = new Set(['int', 'double', 'string', 'timestamp', 'duration', 'dyn']);

function comparison<S>(sign: BinarySign, sides: Sides<S>): Compiled<S>['run'] {
  const { left, right } = sides;
  if (!mayCompare(left.type, right.type) || !ORDERED.has(left.type.kind) || !ORDERED.has(right.type.kind))
    throw wrongTypes(sign, sides, 'expected two numbers, strings, timestamps or durations');
  const [leftRun, rightRun] = [left.run, right.run];
  const holds = HOLDS[sign] ?? (() => false);
  return (frame) => {
    const first = leftRun(frame);
    if (first instanceof Failed) return first;
    const second = rightRun(frame);
    if (second instanceof Failed) return second;
    const order = compare(first, second);
    return order === null ? new Failed('type', `${sign} compares a ${kindOf(first)} with a ${kindOf(second)}`) : holds(order);
  };
}

const HOLDS: Readonly<Partial<Record<BinarySign, (order: number) => boolean>>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Null: nothing says which one comes first. */
function compare(one: unknown, other: unknown): number | null {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  if (typeof one === 'string' && typeof other === 'string') return one < other ? -1 : one > other ? 1 : 0;
  if (one instanceof Instant && other instanceof Instant) return one.ms - other.ms;
  return one instanceof Span && other instanceof Span ? one.ms - other.ms : null;
}

type ArithmeticSign = '+' | '-' | '*' | '/' | '%';

function arithmetic<S>(sign: ArithmeticSign, sides: Sides<S>): Compiled<S> {
  const { left, right } = sides;
  const found = OVERLOADS.find((one) => one.sign.includes(sign) && one.left.kind === left.type.kind && one.right.kind === right.type.kind);
  if (found === undefined) {
    const isOpen = left.type.kind === 'dyn' || right.type.kind === 'dyn';
    throw wrongTypes(
      sign,
      sides,
      isOpen ? 'say what it is: int(…), double(…), string(…)' : 'expected two ints, two doubles, or two strings for +',
    );
  }
  const [leftRun, rightRun] = [left.run, right.run];
  const { act } = found;
  return {
    type: found.result,
    steps: left.steps + right.steps + 1,
    run: (frame) => {
      const first = leftRun(frame);
      if (first instanceof Failed) return first;
      const second = rightRun(frame);
      return second instanceof Failed ? second : act(first, second, sign, frame);
    },
  };
}

interface Overload {
  readonly sign: string;
  readonly left: ValueType;
  readonly right: ValueType;
  readonly result: ValueType;
  readonly act: (left: unknown, right: unknown, sign: ArithmeticSign, frame: Frame<unknown>) => unknown;
}

const OVERLOADS: readonly Overload[] = [
  { sign: '+-*/%', left: INT, right: INT, result: INT, act: (left, right, sign) => ofInts(Number(left), Number(right), sign) },
  { sign: '+-*/', left: DOUBLE, right: DOUBLE, result: DOUBLE, act: (left, right, sign) => ofDoubles(Number(left), Number(right), sign) },
  { sign: '+', left: STRING, right: STRING, result: STRING, act: (left, right, _, frame) => joined(String(left), String(right), frame) },
  { sign: '+-', left: TIMESTAMP, right: DURATION, result: TIMESTAMP, act: (left, right, sign) => new Instant(moved(left, right, sign)) },
  { sign: '-', left: TIMESTAMP, right: TIMESTAMP, result: DURATION, act: (left, right, sign) => new Span(moved(left, right, sign)) },
  { sign: '+-', left: DURATION, right: DURATION, result: DURATION, act: (left, right, sign) => new Span(moved(left, right, sign)) },
];

const msOf = (value: unknown): number => (value instanceof Instant || value instanceof Span ? value.ms : NaN);
const moved = (left: unknown, right: unknown, sign: ArithmeticSign): number =>
  sign === '+' ? msOf(left) + msOf(right) : msOf(left) - msOf(right);

function joined(left: string, right: string, frame: Frame<unknown>): string | Failed {
  return charge(frame, stepsOfText(left.length + right.length)) ? left + right : TOO_COSTLY;
}

function ofInts(left: number, right: number, sign: ArithmeticSign): number | Failed {
  if ((sign === '/' || sign === '%') && right === 0) return new Failed('value', 'a division by 0');
  const result = sign === '/' ? Math.trunc(left / right) : sign === '%' ? left % right : ofDoubles(left, right, sign);
  // No minus 0, which is no int.
  return Number.isSafeInteger(result) ? result + 0 : new Failed('value', 'a whole number beyond 9007199254740991');
}

function ofDoubles(left: number, right: number, sign: ArithmeticSign): number {
  if (sign === '+') return left + right;
  if (sign === '-') return left - right;
  return sign === '*' ? left * right : left / right;
}
