// Conditions and amounts of the file, in CEL: checked when it is read, asked of each request in a bounded number of steps.
import { compileTree } from './compile.ts';
import { MOST_STEPS, type Variables } from './compiled.ts';
import { ExpressionError, placedProblem } from './expression-error.ts';
import { parseExpression } from './syntax.ts';
import { Failed, typeText, type ValueType } from './values.ts';

interface Unusable {
  readonly ok: false;
  readonly problem: string;
}

export type Condition<S> =
  | {
      readonly ok: true;
      /** A Failed: nobody can say whether it holds. */
      readonly holds: (from: S) => boolean | Failed;
    }
  | Unusable;

export type Amount<S> =
  | {
      readonly ok: true;
      /** A Failed: nobody can say how much it is. */
      readonly amountOf: (from: S) => number | Failed;
    }
  | Unusable;

const NO_CONDITION = new Failed('type', 'what comes out is neither true nor false');
const NO_AMOUNT = new Failed('type', 'what comes out is no number');

/** The problem says where in the text it is, and what was expected. */
export function compileCondition<S>(source: string, variables: Variables<S>): Condition<S> {
  const compiled = compile(source, variables, (type) => {
    if (type.kind === 'dyn') return 'nothing says that this is true or false; compare it: … == true';
    if (type.kind === 'bool') return null;
    return `expected a condition, which is true or false, and this is a ${typeText(type)}; compare it with something`;
  });
  if (typeof compiled === 'string') return { ok: false, problem: compiled };
  return {
    ok: true,
    holds(from) {
      const value = compiled(from);
      return typeof value === 'boolean' || value instanceof Failed ? value : NO_CONDITION;
    },
  };
}

/** The same of a number. */
export function compileAmount<S>(source: string, variables: Variables<S>): Amount<S> {
  const compiled = compile(source, variables, (type) => {
    if (type.kind === 'dyn') return 'nothing says that this is a number; say which kind it is: int(…)';
    if (type.kind === 'int' || type.kind === 'double') return null;
    return `expected a number, and this is a ${typeText(type)}; int(…) makes a number of a text`;
  });
  if (typeof compiled === 'string') return { ok: false, problem: compiled };
  return {
    ok: true,
    amountOf(from) {
      const value = compiled(from);
      return typeof value === 'number' || value instanceof Failed ? value : NO_AMOUNT;
    },
  };
}

/** A text: what is wrong with it. `problemOf` a type: why it is not the one; null: it is. */
function compile<S>(
  source: string,
  variables: Variables<S>,
  problemOf: (type: ValueType) => string | null,
): ((from: S) => unknown) | string {
  try {
    const tree = parseExpression(source);
    const { type, steps, run } = compileTree(tree, { source, variables, locals: [] });
    const problem = problemOf(type);
    if (problem !== null) throw new ExpressionError(0, problem);
    return (from) => run({ from, locals: [], stepsLeft: MOST_STEPS - steps });
  } catch (error) {
    if (error instanceof ExpressionError) return placedProblem(source, error);
    throw error;
  }
}
