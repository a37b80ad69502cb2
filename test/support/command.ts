// Runs the real command `node tui/weir.js …` as a process of its own and gives back what a shell would see.
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const WEIR = join(import.meta.dirname, '../../tui/weir.js');

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** A unix socket path or a URL, given as WEIR_SERVER; absent: the command has to find it by itself. */
  readonly server?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
  /** Called with the process id once the command has written anything. */
  readonly onOutput?: (pid: number) => void;
}

/** The environment has nothing of the test's own that could steer the command. */
export function runWeir(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const server =
    options.server === undefined ? {} : { WEIR_SERVER: options.server.includes('://') ? options.server : `unix:${options.server}` };
  const env = { PATH: process.env['PATH'], HOME: join(tmpdir(), 'weir-test-home'), ...server, ...options.env };
  return new Promise((resolve, reject) => {
    const child = spawn(options.node ?? process.execPath, [WEIR, ...args], { env, stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    const seen = (): void => {
      if (child.pid !== undefined) options.onOutput?.(child.pid);
    };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      seen();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      seen();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(options.stdin ?? '');
  });
}
