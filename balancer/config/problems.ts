// What is wrong with a config file, and where: one entry per problem, in the order of the file.

/** From the top of the file to a value: keys, and indexes of lists. */
export type ValuePath = readonly (string | number)[];

export interface ConfigProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `clusters.eu-west.health.interval`, `routes[0].match`; empty: the file as a whole. */
  readonly path: string;
  /** What is there, what was expected, how to fix it. */
  readonly message: string;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A problem before its place in the text is known. */
export interface Finding {
  readonly path: ValuePath;
  readonly message: string;
  /** True: the problem is the last key of the path, not its value. */
  readonly atKey?: boolean;
}

/** `weir.yaml:12:5: clusters.eu-west.health.interval: "1 sec" is not a duration; expected for example 500ms, 2s, 5m` */
export function formatProblem(problem: ConfigProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}

/** `['routes', 0, 'match']` → `routes[0].match` */
export function formatPath(path: ValuePath): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '');
}

/** By place in the file; the same message at the same place counts once. */
export function sortProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column || (a.path < b.path ? -1 : 1));
}

/** A value as it is quoted in a message: short, on one line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}
