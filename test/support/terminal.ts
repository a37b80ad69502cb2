// A real terminal for tests: a tmux server of its own, a shell in it, keys sent to it and its screen read back.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  /** On top of a bare environment with a UTF-8 locale. */
  readonly env?: Readonly<Record<string, string>>;
  readonly directory: string;
  /** The program may speak to the tmux that it runs in; else it only learns that there is one. */
  readonly insideTmux?: boolean;
  /** Default: sh. */
  readonly shell?: string;
}

/** What of the terminal a program may leave in disorder. */
export interface TerminalMode {
  readonly alternateScreen: boolean;
  readonly cursorShown: boolean;
}

/** Stands at the end of every prompt of the shell, so that a test knows when a command is over. */
const PROMPT = 'ready>';

export class TestTerminal implements AsyncDisposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static async start({
    columns,
    rows,
    env = {},
    directory,
    insideTmux = false,
    shell: program = 'sh',
  }: TerminalOptions): Promise<TestTerminal> {
    await demandTmux();
    const terminal = new TestTerminal(`weir-test-${randomBytes(6).toString('hex')}`);
    const bare = { PATH: process.env['PATH'] ?? '', HOME: directory, LANG: 'C.UTF-8', PS1: `${PROMPT} `, ...env };
    const settings = Object.entries(bare).map(([name, value]) => `${name}=${value}`);
    // `env -i` drops what tmux itself sets; TERM is what a program in tmux normally sees unless the test says otherwise.
    const shell = [
      'env',
      '-i',
      'TERM=screen-256color',
      ...(insideTmux ? [] : ['TMUX=inside']),
      ...settings,
      ...(program === 'bash' ? ['bash', '--norc'] : [program]),
    ];
    const size = ['-x', String(columns), '-y', String(rows)];
    await terminal.#tmux(
      'new-session',
      '-d',
      ...size,
      '-c',
      directory,
      shell
        .map(quote)
        .join(' ')
        .replace("'-i'", insideTmux ? `'-i' TMUX="$TMUX"` : "'-i'"),
    );
    await terminal.waitForText(PROMPT);
    return terminal;
  }

  /** Types a line and presses Enter. */
  async type(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', line);
    await this.press('Enter');
  }

  /** Characters as they are, in one piece: what a terminal sends by itself, such as a click. */
  async send(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', text);
  }

  /** Keys by tmux's names (`j`, `Down`, `C-c`, `Escape`), each sent by itself. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux('send-keys', '--', key);
  }

  /** All characters in one piece, as a paste from a terminal without paste marks arrives. */
  async paste(text: string, marked: boolean): Promise<void> {
    await this.#tmux('set-buffer', '-b', 'test', '--', text);
    await this.#tmux('paste-buffer', '-b', 'test', '-d', ...(marked ? ['-p'] : []));
  }

  /** The screen as text. */
  async screen(): Promise<string> {
    const { stdout } = await this.#tmux('capture-pane', '-p');
    return stdout;
  }

  /** The same with its colours, as the sequences that a terminal would be sent. */
  async colouredScreen(): Promise<string> {
    const { stdout } = await this.#tmux('capture-pane', '-p', '-e', '-N');
    return stdout;
  }

  /** What was copied last, as tmux would paste it. */
  async buffer(): Promise<string> {
    const { stdout } = await this.#tmux('show-buffer');
    return stdout;
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  async mode(): Promise<TerminalMode> {
    const { stdout } = await this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}');
    const [alternate, cursor] = stdout.trim().split(' ');
    return { alternateScreen: alternate === '1', cursorShown: cursor === '1' };
  }

  /** Waits until the screen contains all of `wanted` at once: a frame may be seen half drawn. */
  async waitForAll(wanted: readonly string[]): Promise<string> {
    return this.waitFor((screen) => wanted.every((text) => screen.includes(text)), wanted.join(', '));
  }

  /** Waits until the screen contains `wanted`; fails with the screen as it was last. */
  async waitForText(wanted: string | RegExp, deadlineMs = 15_000): Promise<string> {
    return this.waitFor(
      (screen) => (typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen)),
      String(wanted),
      deadlineMs,
    );
  }

  async waitFor(holds: (screen: string) => boolean, what: string, deadlineMs = 15_000): Promise<string> {
    let last = '';
    try {
      await until(
        async () => {
          last = await this.screen();
          return holds(last);
        },
        what,
        deadlineMs,
      );
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : String(error)}; the screen shows:\n${last}`, { cause: error });
    }
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server');
  }

  #tmux(...args: readonly string[]): Promise<{ readonly stdout: string }> {
    // -u: the client writes UTF-8 whatever the locale of the test run is. -f /dev/null: nobody's own configuration.
    return run('tmux', ['-u', '-L', this.#socket, '-f', '/dev/null', ...args], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  }
}

async function demandTmux(): Promise<void> {
  try {
    await run('tmux', ['-V']);
  } catch (error) {
    throw new Error('these tests drive the dashboard in a real terminal and need tmux: apt-get install tmux', { cause: error });
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
