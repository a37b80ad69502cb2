// The exit codes of `weir` (published: scripts rely on them) and the one error that carries one.
import type { ApiProblem } from '../balancer/controller/api/views.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  notFound: 5,
  revisionMoved: 6,
  refused: 7,
  timedOut: 8,
  gateFailed: 9,
  wouldChange: 10,
  waits: 11,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a code and a message for stderr. */
export class CommandFailure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

const EXIT_OF_PROBLEM: Readonly<Record<ApiProblem['code'], ExitCode>> = {
  usage: EXIT.usage,
  unauthorized: EXIT.notAllowed,
  forbidden: EXIT.notAllowed,
  not_found: EXIT.notFound,
  conflict: EXIT.revisionMoved,
  unreachable: EXIT.unreachable,
  unsafe: EXIT.refused,
  confirm: EXIT.refused,
  approval: EXIT.waits,
  timeout: EXIT.timedOut,
  internal: EXIT.failed,
};

/** A refusal of the admin API, with the code it came with. */
export class ProblemFailure extends CommandFailure {
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    // A newer appliance may know codes that this command does not.
    super(
      Object.hasOwn(EXIT_OF_PROBLEM, problem.code) ? EXIT_OF_PROBLEM[problem.code] : EXIT.failed,
      [problem.message, ...(problem.problems ?? [])].join('\n'),
    );
    this.name = 'ProblemFailure';
    this.problem = problem;
  }
}
