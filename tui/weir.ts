// The command `weir`: signals, failures to exit codes, and the doors to the programs that run in this process, each loaded when asked for.
import { hostname } from 'node:os';
import type { AgentOptions, Programs } from './command.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import { type Running, runProgram } from './program.ts';
import { COMMAND_GROUPS } from './registry.ts';
import { weirVersion } from '../balancer/version.ts';

type LeaseName = NonNullable<AgentOptions['lease']>;

const programs: Programs = {
  serve: async (options) => (await import('../balancer/main.ts')).serve(options),
  check: async (file) => (await import('../balancer/offline.ts')).checkFile(file),
  simulate: async (file) => (await import('../balancer/offline.ts')).simulateFile(file),
  replay: async (file, config) => (await import('../balancer/offline.ts')).replayFile(file, config),
  configSchema: async () => (await import('../balancer/offline.ts')).configSchema(),
  makeKey: async (consumer, pepperFile) => (await import('../balancer/offline.ts')).makeConsumerKey(consumer, pepperFile),
  hashPassword: async (password) => (await import('../balancer/offline.ts')).hashPassword(password),
  agent: async (options) => {
    // Before anything else of the agent is loaded: what has grown by then does not shrink.
    (await import('../agent/spare-memory.ts')).spareMemory();
    return (await import('../agent/run.ts')).runAgent({ ...options, lease: withIdentity(options.lease) });
  },
  agentManifest: async (options) => {
    const { manifestOf, valuesOf } = await import('../agent/deploy/manifest.ts');
    return { objects: manifestOf(options), values: valuesOf(options) };
  },
  explainAgent: async (options) => (await import('../agent/explain-once.ts')).explainOnce(options),
};

/** The name of a pod is the name of its host: nothing else has it at the same time. */
function withIdentity(lease: AgentOptions['lease']): (LeaseName & { readonly identity: string }) | null {
  return lease === null ? null : { ...lease, identity: hostname() };
}

/** Runs one command line and leaves its exit code with the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const abort = new AbortController();
  const running: Running = { ownSignals: false, note: null, signal: abort.signal };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt(running, abort));
  // The reader of a pipe left (`weir events | head`): nobody is there to be told.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  process.exitCode = await run(argv, running);
}

async function run(argv: readonly string[], running: Running): Promise<ExitCode> {
  try {
    return await runProgram(argv, { groups: COMMAND_GROUPS, programs, version: weirVersion() }, running);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    process.stderr.write(`weir: ${error.message}\n`);
    return error.exitCode;
  }
}

/** Ctrl-C leaves at once and says what state that leaves. */
function interrupt(running: Running, abort: AbortController): void {
  if (running.ownSignals) return;
  abort.abort();
  process.stderr.write(running.note === null ? '\n' : `\nweir: interrupted: ${running.note}\n`);
  process.exit(EXIT.interrupted);
}
