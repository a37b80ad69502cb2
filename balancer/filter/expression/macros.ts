// What goes through lists, and asks whether something is there: the only parts of an expression that repeat anything, step by step counted.
import { charge, TOO_COSTLY, type Compiled, type Frame } from './compiled.ts';
import type { Scope } from './compile.ts';
import { ExpressionError } from './expression-error.ts';
import type { Tree } from './syntax.ts';
import { BOOL, DYN, Failed, isList, isObject, kindOf, listType, memberOf, namesIn, STRING, typeText, type ValueType } from './values.ts';

/** What a macro calls the element it is at. */
export interface Local {
  readonly name: string;
  readonly type: ValueType;
}

type Compile = <S>(tree: Tree, scope: Scope<S>) => Compiled<S>;
type Call = Extract<Tree, { kind: 'call' }>;

/** Of the values of one body for all elements. */
type Collect = (elements: readonly unknown[], body: (element: unknown) => unknown) => unknown;

const WALKS: Readonly<Record<string, Collect>> = {
  /** What one decides holds, whatever becomes of the others; else a failure is one of all. */
  exists: (elements, body) => decide(elements, body, true),
  all: (elements, body) => decide(elements, body, false),
  exists_one(elements, body) {
    let count = 0;
    for (const element of elements) {
      const value = body(element);
      if (typeof value !== 'boolean') return failure(value);
      if (value) count += 1;
    }
    return count === 1;
  },
  filter(elements, body) {
    const kept: unknown[] = [];
    for (const element of elements) {
      const value = body(element);
      if (typeof value !== 'boolean') return failure(value);
      if (value) kept.push(element);
    }
    return kept;
  },
  map(elements, body) {
    const values: unknown[] = [];
    for (const element of elements) {
      const value = body(element);
      if (value instanceof Failed) return value;
      values.push(value);
    }
    return values;
  },
};

export const MACROS: ReadonlySet<string> = new Set(['has', ...Object.keys(WALKS)]);

const failure = (value: unknown): Failed => (value instanceof Failed ? value : new Failed('type', 'a condition is neither true nor false'));

function decide(elements: readonly unknown[], body: (element: unknown) => unknown, decided: boolean): unknown {
  let failed: Failed | null = null;
  for (const element of elements) {
    const value = body(element);
    if (value === decided) return decided;
    if (value === TOO_COSTLY) return value;
    if (value !== !decided) failed ??= failure(value);
  }
  return failed ?? !decided;
}

/** Throws an ExpressionError. */
export function compileMacro<S>(call: Call, scope: Scope<S>, compile: Compile): Compiled<S> {
  const walk = WALKS[call.name];
  if (walk === undefined) return compileHas(call, scope, compile);
  const [named, written, ...more] = call.args;
  if (call.on === null || named?.kind !== 'name' || written === undefined || more.length > 0)
    throw new ExpressionError(
      call.at,
      `${call.name} is called on a list, with a name for its elements and what is asked of each: consumer.groups.${call.name}(group, group == "staff")`,
    );
  const over = compile(call.on, scope);
  const { type } = over;
  if (type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'dyn')
    throw new ExpressionError(call.at, `${call.name} goes through lists and the names of maps, and this is a ${typeText(type)}`);
  const element = type.kind === 'list' ? type.of : type.kind === 'map' ? STRING : DYN;
  const body = compile(written, { ...scope, locals: [...scope.locals, { name: named.name, type: element }] });
  if (call.name !== 'map' && body.type.kind !== 'bool' && body.type.kind !== 'dyn')
    throw new ExpressionError(written.at, `expected a condition for each element, and not a ${typeText(body.type)}`);
  const result = call.name === 'map' ? listType(body.type) : call.name === 'filter' ? listType(element) : BOOL;
  const [overRun, depth] = [over.run, scope.locals.length];
  return {
    type: result,
    steps: over.steps + 1,
    run(frame) {
      const of = overRun(frame);
      if (of instanceof Failed) return of;
      if (!isList(of) && !isObject(of)) return new Failed('type', `${call.name} goes through lists, and this is a ${kindOf(of)}`);
      return walk(isList(of) ? of : namesIn(of), (value) => runBody(body, value, depth, frame));
    },
  };
}

function runBody<S>({ steps, run }: Compiled<S>, value: unknown, depth: number, frame: Frame<S>): unknown {
  if (!charge(frame, steps)) return TOO_COSTLY;
  frame.locals[depth] = value;
  return run(frame);
}

/** `has(claims.tier)`: whether a member is there. What it would be a member of must be. */
function compileHas<S>({ on, args, at }: Call, scope: Scope<S>, compile: Compile): Compiled<S> {
  const [asked, ...more] = args;
  if (on !== null || asked?.kind !== 'member' || more.length > 0)
    throw new ExpressionError(at, 'has is asked for a member: has(claims.tier)');
  const { type, steps, run } = compile(asked.of, scope);
  if (type.kind !== 'map' && type.kind !== 'dyn') throw new ExpressionError(asked.at, `a ${typeText(type)} has no members`);
  const { name } = asked;
  return {
    type: BOOL,
    steps: steps + 1,
    run(frame) {
      const of = run(frame);
      if (of instanceof Failed) return of;
      return isObject(of) ? memberOf(of, name) !== undefined : new Failed('type', `a ${kindOf(of)} has no members`);
    },
  };
}
