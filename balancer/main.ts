// `weir serve`: checks the config, then runs as supervisor; its children run child.ts.
import { chmodSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../health/clock.ts';
import { CHILD_PROGRAM } from './child.ts';
import { loadConfig, type LoadedConfig } from './config/load.ts';
import { formatProblem } from './config/problems.ts';
import { hostEnvironment } from './host-environment.ts';
import { heapMiB, limitWarnings, readMachineLimits } from './controller/machine-limits.ts';
import { whyNoSockets } from './listening-sockets.ts';
import { createLog, type Log } from './log.ts';
import { findPredecessor, type Predecessor } from './predecessor.ts';
import { EXTENSIONS } from './registries.ts';
import { findSystemd, type Systemd } from './systemd.ts';
import type { ProgramOnDisk } from './successor.ts';
import { createSupervisor } from './supervisor.ts';
import { weirVersion } from './version.ts';

export interface ServeOptions {
  readonly configFile: string;
  /** Absent: the log of a supervisor, on stderr. */
  readonly log?: Log;
}

/** Runs an edge host until it is told to end by SIGTERM or SIGINT; a second signal ends it at once. SIGHUP reads the config again. */
export async function serve({ configFile, log = createLog('supervisor') }: ServeOptions): Promise<0 | 1> {
  const predecessor = findPredecessor();
  if (predecessor === 'unknown protocol')
    return failed('the version of weir that runs cannot hand over to this one; stop it and start this one');
  const systemd = findSystemd(process.env, predecessor !== null, log);
  const problem = await run({ configFile, log, systemd }, predecessor);
  if (problem === null) return 0;
  const { promise: told, resolve } = Promise.withResolvers<undefined>();
  if (predecessor === null) resolve(undefined);
  else predecessor.tell({ type: 'failed', problem }, () => resolve(undefined));
  await told;
  predecessor?.leave();
  return failed(problem);
}

interface RunOptions extends Required<ServeOptions> {
  readonly systemd: Systemd | null;
}

/** Null, or why it could not be run. */
async function run({ configFile, log, systemd }: RunOptions, predecessor: Predecessor | null): Promise<string | null> {
  const file = resolve(configFile);
  const loaded = readConfig(file);
  if (!loaded.ok) {
    const lines = loaded.problems.map((problem) => `${formatProblem(problem)}\n`).join('');
    process.stderr.write(lines);
    return `nothing was started; \`weir check ${configFile}\` shows this without starting anything`;
  }
  const { config } = loaded;
  const problem = whyNoSockets() ?? prepareStateDir(config.stateDir);
  if (problem !== null) return problem;
  process.title = 'weir: supervisor';
  const machine = readMachineLimits();
  for (const warning of limitWarnings(config, machine)) log.warn({ warning }, 'a limit of the machine is too small');
  const supervisor = createSupervisor({
    program: CHILD_PROGRAM,
    env: { WEIR_CONFIG_FILE: file, WEIR_STATE_DIR: config.stateDir, NODE_COMPILE_CACHE: compileCache(config.stateDir) },
    workers: config.workers,
    drainDeadlineMs: config.drainDeadlineMs,
    lameDuckMs: config.lameDuckMs,
    hangMs: config.hangMs,
    heapMiB: heapMiB(machine, config.workers),
    systemd,
    version: weirVersion(),
    onDisk: programOnDisk(file),
    predecessor,
    clock: systemClock,
    random: Math.random,
    log,
  });
  let asked = false;
  const stop = (): void => {
    if (asked) supervisor.kill();
    else supervisor.stop();
    asked = true;
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.on('SIGHUP', () => supervisor.reload());
  log.info({ configFile: file, workers: config.workers, version: weirVersion() }, 'starting');
  supervisor.start();
  return (await supervisor.ended).problem;
}

/**
 * As this process was started, so that what it names then is started: a link to a release that points to another one since, a Node that was
 * replaced. The path that Node knows itself by is the one after all links.
 */
function programOnDisk(configFile: string): ProgramOnDisk {
  const command = process.argv0.includes('/') ? resolve(process.argv0) : process.argv0;
  const [, script = '', ...args] = process.argv;
  const before = [...process.execArgv, script];
  return { command, serve: [...before, ...args], check: [...before, 'check', configFile] };
}

function failed(problem: string): 1 {
  process.stderr.write(`weir: ${problem}\n`);
  return 1;
}

function readConfig(file: string): LoadedConfig {
  try {
    return loadConfig({ file, text: readFileSync(file, 'utf8') }, EXTENSIONS, hostEnvironment());
  } catch (error) {
    const message = `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message }] };
  }
}

/** Makes the state directory if it is missing, and closes it to others; null, or why it cannot be used. */
function prepareStateDir(path: string): string | null {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o022) !== 0) {
      return `state.dir ${path} can be written by others (mode ${mode.toString(8)}); \`chmod 700 ${path}\`, or choose a directory of weir's own`;
    }
    if (mode !== 0o700) chmodSync(path, 0o700);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `state.dir ${path} cannot be used: ${reason}; set state.dir to a directory that the user weir runs as may write`;
  }
}

/** Where children keep the code they compiled, so that the next one starts in a third of the time. */
function compileCache(stateDir: string): string {
  return process.env['NODE_COMPILE_CACHE'] ?? join(stateDir, 'compiled');
}
