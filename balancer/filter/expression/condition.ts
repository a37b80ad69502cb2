// Conditions of the file, in CEL: checked when it is read, asked of each request in a bounded number of steps.
import { compileTree } from './compile.ts';
import { MOST_STEPS, type Variables } from './compiled.ts';
import { ExpressionError, placedProblem } from './expression-error.ts';
import { parseExpression } from './syntax.ts';
import { Failed, typeText } from './values.ts';

export type Condition<S> =
  | {
      readonly ok: true;
      /** A Failed: nobody can say whether it holds. */
      readonly holds: (from: S) => boolean | Failed;
    }
  | { readonly ok: false; readonly problem: string };

const NO_CONDITION = new Failed('type', 'what comes out is neither true nor false');

/** The problem says where in the text it is, and what was expected. */
export function compileCondition<S>(source: string, variables: Variables<S>): Condition<S> {
  try {
    const tree = parseExpression(source);
    const { type, steps, run } = compileTree(tree, { source, variables, locals: [] });
    if (type.kind !== 'bool' && type.kind !== 'dyn')
      throw new ExpressionError(
        0,
        `expected a condition, which is true or false, and this is a ${typeText(type)}; compare it with something`,
      );
    if (type.kind === 'dyn') throw new ExpressionError(0, 'nothing says that this is true or false; compare it: … == true');
    return {
      ok: true,
      holds(from) {
        const value = run({ from, locals: [], stepsLeft: MOST_STEPS - steps });
        return typeof value === 'boolean' || value instanceof Failed ? value : NO_CONDITION;
      },
    };
  } catch (error) {
    if (error instanceof ExpressionError) return { ok: false, problem: placedProblem(source, error) };
    throw error;
  }
}
