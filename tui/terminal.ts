// The operator's terminal as commands see it: data on stdout, messages on stderr, questions only where somebody can answer.
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { type Clock, systemClock } from '../health/clock.ts';

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Somebody reads stderr and can type an answer. */
  readonly interactive: boolean;
  /** Columns of stdout; null: not a terminal, so nothing is cut. */
  readonly columns: number | null;
  readonly color: boolean;
  /** The user's name as the system tells it; sent as a claim. */
  readonly userName: string;
  /** Writes data to stdout; waits when the reader is slow. */
  data(text: string): Promise<void>;
  /** One message line to stderr. */
  message(text: string): void;
  /** A line on stderr that the next one takes the place of, where somebody sees it; an empty one clears it. */
  progress(text: string): void;
  /** Asks on stderr; only `y` or `yes` is yes, the end of the input is no. */
  confirm(question: string): Promise<boolean>;
  /** Asks on stderr for one line; null: the input has ended. */
  ask(question: string): Promise<string | null>;
}

/** The terminal of this process. */
export function systemTerminal(noColor: boolean): Terminal {
  const { stdin, stdout, stderr, env } = process;
  return {
    env,
    clock: systemClock,
    interactive: stdin.isTTY && stderr.isTTY,
    columns: stdout.isTTY ? stdout.columns : null,
    // https://no-color.org: present and not empty means no colour.
    color: stdout.isTTY && !noColor && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    userName: userName(env),
    data: (text) => write(stdout, text),
    message: (text) => void stderr.write(`${text}\n`),
    progress: (text) => {
      if (stderr.isTTY) stderr.write(`\r\u001b[K${text.slice(0, Math.max(0, stderr.columns - 1))}`);
    },
    confirm: async (question) => /^y(es)?$/i.test((await ask(`${question} [y/N] `))?.trim() ?? ''),
    ask,
  };
}

function ask(prompt: string): Promise<string | null> {
  return new Promise((resolve) => {
    // Without line editing the system's own line mode stays on, and Ctrl-C means here what it means everywhere.
    const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
    lines.once('close', () => resolve(null));
    lines.question(prompt, (answer) => {
      resolve(answer);
      lines.close();
    });
  });
}

function userName(env: Terminal['env']): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry in the user database, as in many containers.
    return env['USER'] ?? 'unknown';
  }
}

function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
