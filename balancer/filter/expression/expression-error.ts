// Why a text is no expression, and where in it.

/** Of an expression in the file. */
export class ExpressionError extends Error {
  /** Index of the character it is about. */
  readonly at: number;

  /** `message`: in words that teach. */
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const SHOWN = 24;

/** With the place: `at character 9, "clams.tier == …": …`. */
export function placedProblem(source: string, { at, message }: ExpressionError): string {
  const rest = source.slice(at).split('\n', 1)[0] ?? '';
  const shown = rest.length > SHOWN ? `${rest.slice(0, SHOWN)}…` : rest;
  return `${shown === '' ? 'at its end' : `at character ${at + 1}, ${JSON.stringify(shown)}`}: ${message}`;
}
