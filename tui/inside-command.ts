// Commands run inside the dashboard: by the same parser and the same code as in a shell, with a change stopped before it is made.
import type { ChangeRequest, ChangeResult } from '../balancer/controller/api/views.ts';
import type { Clock } from '../health/clock.ts';
import type { AdminClient } from './client.ts';
import { CommandFailure, EXIT } from './exit.ts';
import { runProgram } from './program.ts';
import type { CommandGroup, Programs } from './command.ts';
import type { Terminal } from './terminal.ts';

/** What a line came to. */
export type InsideOutcome =
  /** It would change something: what the appliance was to be asked, and what it says to a preview of it. */
  | { readonly kind: 'change'; readonly request: ChangeRequest; readonly result: ChangeResult }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'printed'; readonly text: string; readonly ok: boolean };

/** Those that look at the appliance, and those that ask it for a change which can be previewed. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['status', 'get', 'describe', 'explain', 'events', 'diff', 'history', 'audit', 'version', 'help'],
  ...['shift', 'canary', 'switch', 'drain', 'restore', 'maintenance', 'dial', 'release', 'undo', 'redo', 'pins', 'quota', 'cache'],
]);

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

/** A command that goes on for ever would never tell anything. */
const TIMEOUT_MS = 10_000;

export interface InsideParts {
  readonly client: AdminClient;
  readonly clock: Clock;
  readonly groups: readonly CommandGroup[];
  readonly version: string;
  /** Columns that text may take. */
  readonly columns: number;
}

/** Thrown where the change would be made. */
class Stopped extends Error {
  readonly request: ChangeRequest;

  constructor(request: ChangeRequest) {
    super('a change is shown before it is made');
    this.request = request;
  }
}

/** Never changes anything. */
export async function runInside(words: readonly string[], parts: InsideParts): Promise<InsideOutcome> {
  const [verb = ''] = words;
  if (!ALLOWED.has(verb)) return { kind: 'refused', message: `weir ${verb} is not for the dashboard; type it in a shell` };
  const said: string[] = [];
  const terminal = listening(parts, said);
  const ended = Promise.withResolvers<never>();
  const timer = parts.clock.after(TIMEOUT_MS, () =>
    ended.reject(new CommandFailure(EXIT.timedOut, `nothing came of it within ${TIMEOUT_MS / 1000} s`)),
  );
  try {
    const running = { ownSignals: false, note: null, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const client = stopping(parts.client);
    const { groups, version } = parts;
    const program = runProgram(words, { groups, version, programs: NO_PROGRAMS, inside: { terminal, client } }, running);
    const code = await Promise.race([program, ended.promise]);
    return { kind: 'printed', text: said.join(''), ok: code === EXIT.ok };
  } catch (error) {
    if (error instanceof Stopped) return await preview(error.request, parts.client);
    if (!(error instanceof CommandFailure)) throw error;
    return { kind: 'refused', message: [...said, error.message].join('') };
  } finally {
    timer.cancel();
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
function stopping(client: AdminClient): AdminClient {
  return new Proxy(client, {
    get: (target, name): unknown => {
      if (name === 'change')
        return (request: ChangeRequest) => {
          throw new Stopped(request);
        };
      if (name === 'close') return () => Promise.resolve();
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (READS.has(String(name))) return (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
      return () => {
        throw new CommandFailure(EXIT.usage, 'only what shows its plan first can be done from the dashboard; type this in a shell');
      };
    },
  });
}

/** A terminal that nobody sits at: nothing is asked, what is said is kept. */
function listening({ clock, columns }: InsideParts, said: string[]): Terminal {
  return {
    ...{ env: {}, clock, interactive: false, columns, color: false, userName: 'dashboard' },
    data: (text) => {
      said.push(text);
      return Promise.resolve();
    },
    message: (text) => void said.push(text.endsWith('\n') ? text : `${text}\n`),
    progress: () => undefined,
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
