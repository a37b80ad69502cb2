// `weir top` in a real terminal against a real status server: the start that its scenario tests share.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusView } from '../../balancer/controller/api/views.ts';
import { StatusServer, type StatusServerOptions } from './status-server.ts';
import { busyStatus } from './statuses.ts';
import { TestTerminal } from './terminal.ts';

export interface TopSessionOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly status?: StatusView;
  readonly everyMs?: number;
  /** False: an appliance from before there was a feed. */
  readonly feed?: boolean;
  readonly answers?: NonNullable<StatusServerOptions['answers']>;
  /** One with job control, to suspend it in. */
  readonly shell?: 'bash';
  /** Further words of the command line. */
  readonly args?: readonly string[];
  /** Runs top-process.ts in place of the command: SIGUSR2 makes it fail this way, and at its end it has counted listeners. */
  readonly instrumented?: 'throw' | 'reject';
}

export interface TopSession extends AsyncDisposable {
  readonly terminal: TestTerminal;
  readonly server: StatusServer;
  readonly socketPath: string;
  /** Starts the dashboard from the shell; the shell then prints `ended N` with its exit code. */
  launch(): Promise<void>;
  /** The process id of the dashboard. */
  processId(): number;
  /** What `stty -g` says of the terminal; to be called at the prompt of the shell. */
  lineSettings(label: string): Promise<string>;
}

const WEIR = join(import.meta.dirname, '..', '..', 'tui', 'weir.js');
const INSTRUMENTED = join(import.meta.dirname, 'top-process.ts');

export async function startTopSession(options: TopSessionOptions = {}): Promise<TopSession> {
  const { columns = 100, rows = 30, env = {}, status = busyStatus(), everyMs = 200, instrumented, feed = true, args: more = [] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'weir-top-'));
  const socketPath = join(directory, 'admin.sock');
  const server = new StatusServer(status, everyMs, { feed, ...(options.answers === undefined ? {} : { answers: options.answers }) });
  await server.start(socketPath);
  const terminal = await TestTerminal.start({
    columns,
    rows,
    env,
    directory,
    ...(options.shell === undefined ? {} : { shell: options.shell }),
  });
  return {
    terminal,
    server,
    socketPath,
    launch: () => {
      const [program, ...args] =
        instrumented === undefined ? [WEIR, 'top', '--server', `unix:${socketPath}`, ...more] : [INSTRUMENTED, socketPath, instrumented];
      // `exec` makes the shell's process id that of the dashboard.
      if (options.shell === 'bash')
        return terminal.type(`(echo $BASHPID >pid; exec "${process.execPath}" "${program}" ${args.join(' ')}); echo "ended $?"`);
      return terminal.type(`sh -c 'echo $$ >pid; exec "${process.execPath}" "${program}" ${args.join(' ')}'; echo "ended $?"`);
    },
    processId: () => Number(readFileSync(join(directory, 'pid'), 'utf8')),
    lineSettings: async (label) => {
      await terminal.type(`stty -g >${label}; echo "written ${label}"`);
      await terminal.waitForText(new RegExp(`^written ${label}$`, 'm'));
      return readFileSync(join(directory, label), 'utf8');
    },
    [Symbol.asyncDispose]: async () => {
      await terminal[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
