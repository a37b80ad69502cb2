// Commands run inside the dashboard: by the same parser and the same code as in a shell, with a change, and whatever else does something, stopped
// before it is made.
import type { ChangeRequest, ChangeResult } from '../balancer/controller/api/views.ts';
import type { Clock } from '../health/clock.ts';
import type { AdminClient } from './client.ts';
import { CommandFailure, EXIT, type ExitCode } from './exit.ts';
import { type ActPlan, planAct, StoppedAct, stoppingActs } from './inside-acts.ts';
import { runProgram } from './program.ts';
import type { CommandGroup, Programs } from './command.ts';
import type { Terminal } from './terminal.ts';

/** What a line came to. */
export type InsideOutcome =
  /** It would change something: what the appliance was to be asked, and what it says to a preview of it. */
  | { readonly kind: 'change'; readonly request: ChangeRequest; readonly result: ChangeResult }
  /** It would do something else. */
  | { readonly kind: 'act'; readonly plan: ActPlan }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'printed'; readonly text: string; readonly ok: boolean };

/** Those that look at the appliance, and those that ask it for a change which can be previewed. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['status', 'get', 'describe', 'explain', 'events', 'diff', 'history', 'audit', 'version', 'help'],
  ...['shift', 'canary', 'switch', 'drain', 'restore', 'maintenance', 'dial', 'release', 'undo', 'redo', 'pins', 'quota', 'cache'],
  ...['wait', 'drill', 'token', 'config', 'check', 'approve', 'reject', 'agent'],
]);

/** Those that stay until something has come true, and tell what holds until then: as long as they say themselves. */
const STAYS = (words: readonly string[]): boolean => words[0] === 'wait' || (words[0] === 'drill' && words.includes('--wait'));

/** Of the client: what changes nothing. */
const READS: ReadonlySet<string> = new Set([
  'status',
  'list',
  'results',
  'diff',
  'explain',
  'recall',
  'configText',
  'verifyAudit',
  'history',
]);

/** As waiting.ts says it. */
const WAITING = 'waiting: ';
/** A command that goes on for ever would never tell anything. */
const TIMEOUT_MS = 10_000;

export interface InsideParts {
  readonly client: AdminClient;
  readonly clock: Clock;
  readonly groups: readonly CommandGroup[];
  readonly version: string;
  /** Columns that text may take. */
  readonly columns: number;
  /** That look at files of whoever sits there. */
  readonly programs: Pick<Programs, 'check' | 'configSchema'>;
}

/** Of one line. */
export interface Following {
  /** Ends one that stays. */
  readonly signal: AbortSignal;
  /** What it says while it stays. */
  readonly tell: (text: string) => void;
}

const NOBODY: Following = { signal: new AbortController().signal, tell: () => undefined };

/** Thrown where the change would be made. */
class Stopped extends Error {
  readonly request: ChangeRequest;

  constructor(request: ChangeRequest) {
    super('a change is shown before it is made');
    this.request = request;
  }
}

/** Never changes anything. */
export async function runInside(words: readonly string[], parts: InsideParts, following: Following = NOBODY): Promise<InsideOutcome> {
  const [verb = ''] = words;
  if (!ALLOWED.has(verb)) return { kind: 'refused', message: `weir ${verb} is not for the dashboard; type it in a shell` };
  if (words.includes('-')) return { kind: 'refused', message: 'standard input is the keyboard here; name a file' };
  const said: string[] = [];
  const stays = STAYS(words);
  const terminal = listening(parts, said, stays ? following.tell : null);
  const ended = Promise.withResolvers<never>();
  const over = new AbortController();
  const signal = AbortSignal.any([following.signal, over.signal]);
  const end = (exitCode: ExitCode, message: string): void => {
    ended.reject(new CommandFailure(exitCode, message));
    over.abort();
  };
  const timer = stays ? null : parts.clock.after(TIMEOUT_MS, () => end(EXIT.timedOut, `nothing came of it within ${TIMEOUT_MS / 1000} s`));
  const leave = (): void => end(EXIT.interrupted, 'left');
  following.signal.addEventListener('abort', leave, { once: true });
  try {
    const running = { ownSignals: false, note: null, signal };
    const client = stopping(parts.client, stays);
    const { groups, version } = parts;
    const programs = { ...NO_PROGRAMS, ...parts.programs };
    const program = runProgram(words, { groups, version, programs, inside: { terminal, client } }, running);
    const code = await Promise.race([program, ended.promise]);
    return { kind: 'printed', text: said.join(''), ok: code === EXIT.ok || code === EXIT.wouldChange };
  } catch (error) {
    return await stoppedBy(error, said, { client: parts.client, stays });
  } finally {
    timer?.cancel();
    following.signal.removeEventListener('abort', leave);
  }
}

async function stoppedBy(
  error: unknown,
  said: readonly string[],
  { client, stays }: { readonly client: AdminClient; readonly stays: boolean },
): Promise<InsideOutcome> {
  if (error instanceof Stopped) return preview(error.request, client);
  if (error instanceof StoppedAct) return previewAct(error, client);
  if (!(error instanceof CommandFailure)) throw error;
  const message = [...said, error.message].join('');
  // Whoever waited has an answer, though it is not the one that was waited for.
  return stays ? { kind: 'printed', text: message, ok: false } : { kind: 'refused', message };
}

async function previewAct({ act }: StoppedAct, client: AdminClient): Promise<InsideOutcome> {
  try {
    return { kind: 'act', plan: await planAct(act, client) };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { kind: 'refused', message: error.message };
  }
}

async function preview(request: ChangeRequest, client: AdminClient): Promise<InsideOutcome> {
  try {
    return { kind: 'change', request, result: await client.change({ ...request, dryRun: true }) };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { kind: 'refused', message: error.message };
  }
}

/** The client that reads, and stops where it would change. */
function stopping(client: AdminClient, stays: boolean): AdminClient {
  const acts = new Map<string | symbol, unknown>(Object.entries(stoppingActs(client)));
  return new Proxy(client, {
    get: (target, name): unknown => {
      if (acts.has(name)) return acts.get(name);
      if (name === 'change')
        return (request: ChangeRequest) => {
          throw new Stopped(request);
        };
      if (name === 'close') return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (READS.has(String(name)) || (stays && name === 'watch'))
        return (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
      return () => {
        throw new CommandFailure(EXIT.usage, 'only what shows its plan first can be done from the dashboard; type this in a shell');
      };
    },
  });
}

/** A terminal that nobody sits at: nothing is asked, what is said is kept. `live`: of one that stays, who hears what it says meanwhile. */
function listening({ clock, columns }: InsideParts, said: string[], live: ((text: string) => void) | null): Terminal {
  return {
    ...{ env: {}, clock, interactive: live !== null, columns, color: false, userName: 'dashboard' },
    data: (text) => {
      said.push(text);
      return Promise.resolve();
    },
    message: (text) => {
      // What holds until then is said while it does, and is nothing to read afterwards.
      if (live === null || !text.startsWith(WAITING)) said.push(text.endsWith('\n') ? text : `${text}\n`);
      live?.(text);
    },
    progress: (text) => live?.(text),
    confirm: () => Promise.resolve(false),
    ask: () => Promise.resolve(null),
  };
}

const unused = (): never => {
  throw new CommandFailure(EXIT.usage, 'the dashboard starts no other program; type this in a shell');
};

const NO_PROGRAMS: Programs = {
  ...{
    serve: unused,
    check: unused,
    simulate: unused,
    replay: unused,
    configSchema: unused,
    makeKey: unused,
    hashPassword: unused,
    agent: unused,
    agentManifest: unused,
    explainAgent: unused,
  },
};
