// `weir top`: the dashboard on the terminal, or its tables as text.
import { weirVersion } from '../../balancer/version.ts';
import type { AdminClient } from '../client.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { decodeStatus } from '../dashboard/decode.ts';
import { ASCII_GLYPHS, type Glyphs, UNICODE_GLYPHS } from '../dashboard/glyphs.ts';
import { pause } from '../dashboard/pause.ts';
import { plainReport } from '../dashboard/plain.ts';
import { isUtf8, terminalProfile } from '../dashboard/terminal-profile.ts';
import { readViews } from '../dashboard/saved-views.ts';
import type { SavedView, ScreenName } from '../dashboard/state.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import type { Terminal } from '../terminal.ts';
import type { CommandValues } from '../values.ts';

const DEFAULT_INTERVAL_MS = 500;
const MIN_INTERVAL_MS = 200;
const MAX_INTERVAL_MS = 3_600_000;

const SCREEN_NAMES: readonly ScreenName[] = ['overview', 'services', 'cluster', 'changes', 'edges', 'latency', 'events'];
/** Of screens that are not ordered by name. */
const FIRST_SORTS: Readonly<Partial<Record<ScreenName, string>>> = { changes: 'newest', events: 'newest' };

export const topCommand: CommandDefinition = {
  examples: ['weir top', 'weir top --screen latency', 'weir top --read-only --interval 5s --ascii', 'weir top --plain --once'],
  notes: [
    'Press ? in it for the keys. A change is asked for by a key, shown as a plan with what it moves, and made by two more keys or a typed word.',
    'With --read-only, with a token of role read, and in a context with readOnly no key changes anything.',
    'It needs a terminal of at least 60x15. --plain prints tables instead, for pipes, logs and terminals without cursor control.',
    'Colours follow --no-color and NO_COLOR; every state is also a word and a sign.',
  ].join('\n'),
  options: [
    { flags: '--interval <DURATION>', summary: 'show news this often (default 500ms, the appliance sends no faster)' },
    { flags: '--read-only', summary: 'without keys that change traffic, whatever the role allows' },
    { flags: '--screen <SCREEN>', summary: 'begin with this one', choices: SCREEN_NAMES },
    { flags: '--view <NAME>', summary: 'begin with a view that was saved by Ctrl-S' },
    { flags: '--no-mouse', summary: 'leave the mouse to the terminal, which selects text with it' },
    { flags: '--plain', summary: 'print tables as text, one per interval' },
    { flags: '--once', summary: 'with --plain: print one and end' },
    { flags: '--ascii', summary: 'draw with ASCII characters only' },
  ],
  ownSignals: true,
  run: async (call) => {
    const intervalMs = readInterval(call);
    if (call.values.flag('once') && !call.values.flag('plain')) {
      throw new CommandFailure(EXIT.usage, '--once prints one table and ends, so it needs --plain: weir top --plain --once');
    }
    return call.values.flag('plain') ? runPlain(call, intervalMs) : runOnTerminal(call, intervalMs);
  },
};

function readInterval({ values }: CommandCall): number {
  const intervalMs = values.durationMs('interval') ?? DEFAULT_INTERVAL_MS;
  if (intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
    throw new CommandFailure(EXIT.usage, `--interval: expected 200ms to 1h, got ${JSON.stringify(values.text('interval'))}`);
  }
  return intervalMs;
}

async function runOnTerminal({ values, terminal, connect, programs }: CommandCall, intervalMs: number): Promise<ExitCode> {
  const outcome = terminalProfile({
    env: terminal.env,
    stdinIsTty: process.stdin.isTTY,
    stdoutIsTty: process.stdout.isTTY,
    color: terminal.color,
  });
  if (!outcome.ok) {
    throw new CommandFailure(EXIT.usage, `weir top draws on a terminal, but ${outcome.reason}. For text use: weir top --plain`);
  }
  const { profile } = outcome;
  const client = await connect();
  // An appliance that is not there, or does not let the caller in, is told on the normal screen and with its exit code.
  await client.status();
  // Loaded late: whoever prints text pays nothing for the library that draws.
  const { runDashboard } = await import('../dashboard/dashboard.ts');
  const { COMMAND_GROUPS } = await import('../registry.ts');
  return await runDashboard({
    ...{ client, profile, intervalMs, view: viewOf(values, terminal), groups: COMMAND_GROUPS, programs, version: weirVersion() },
    ...{ clock: terminal.clock, env: terminal.env, random: Math.random },
    look: { theme: profile.theme, ascii: values.flag('ascii') || !profile.richGlyphs },
    readOnly: values.flag('readOnly'),
    mouse: values.flag('mouse'),
  });
}

function viewOf(values: CommandValues, { env }: Terminal): SavedView | null {
  const [name, screen] = [values.text('view'), SCREEN_NAMES.find((each) => each === values.text('screen'))];
  if (name === null)
    return screen === undefined ? null : { screen, filter: '', sort: FIRST_SORTS[screen] ?? 'name', reverse: false, hidden: [] };
  const views = readViews(env);
  const view = views.get(name);
  if (view !== undefined) return view;
  const known = views.size === 0 ? 'none are saved; Ctrl-S in the dashboard saves one' : `there are ${[...views.keys()].join(', ')}`;
  throw new CommandFailure(EXIT.notFound, `--view: no view named ${JSON.stringify(name)}; ${known}`);
}

async function runPlain({ values, terminal, connect }: CommandCall, intervalMs: number): Promise<ExitCode> {
  const glyphs = values.flag('ascii') || !isUtf8(terminal.env) ? ASCII_GLYPHS : UNICODE_GLYPHS;
  const client = await connect();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    await printStatus(client, terminal, glyphs);
    while (!values.flag('once')) {
      await pause(intervalMs, terminal.clock, interrupted.signal);
      if (interrupted.signal.aborted) return EXIT.interrupted;
      await terminal.data('\n');
      await printLater(client, terminal, glyphs);
    }
    return EXIT.ok;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

async function printStatus(client: AdminClient, terminal: Terminal, glyphs: Glyphs): Promise<void> {
  const status = decodeStatus(await client.status());
  await terminal.data(plainReport(status, glyphs, terminal.columns));
}

/** Once it has been there, an appliance that is away is waited for. */
async function printLater(client: AdminClient, terminal: Terminal, glyphs: Glyphs): Promise<void> {
  try {
    await printStatus(client, terminal, glyphs);
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode !== EXIT.unreachable) throw error;
    terminal.message(`${error.message}; trying again`);
  }
}
