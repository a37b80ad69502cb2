// The running dashboard: feed, keyboard and clock change the state, the state becomes frames, and one place gives the terminal back.
import type { Clock, Random, Timer } from '../../health/clock.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { type OpenWatch, runFeed } from './feed.ts';
import type { Glyphs } from './glyphs.ts';
import { type EndCause, guardProcess } from './guard.ts';
import type { InputEvent } from './input.ts';
import { openKeyboard } from './keyboard.ts';
import { commandFor } from './keys.ts';
import { type Action, initialState, reduce } from './model.ts';
import { createPacer } from './pacer.ts';
import { openScreen } from './screen.ts';
import type { TerminalProfile } from './terminal-profile.ts';
import { paint, THEMES } from './theme.ts';
import { dashboardFrame } from './views/dashboard.ts';

export interface DashboardOptions {
  readonly open: OpenWatch;
  /** Where the appliance is, as a person would say it. */
  readonly where: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly profile: TerminalProfile;
  readonly glyphs: Glyphs;
  readonly readOnly: boolean;
  readonly intervalMs: number;
}

/** Five frames a second: faster than anybody reads, slow enough for a terminal over a slow line. */
const MIN_FRAME_GAP_MS = 200;
/** Ages and the clock move without news. */
const TICK_MS = 1000;

/** Runs until the operator quits or a signal comes. The terminal is as it was before this settles, also when it rejects. */
export async function runDashboard(options: DashboardOptions): Promise<ExitCode> {
  const { clock, profile, glyphs, intervalMs } = options;
  const ended = Promise.withResolvers<ExitCode>();
  const feedEnd = new AbortController();
  const pacer = createPacer(clock, MIN_FRAME_GAP_MS, () => screen.draw(paint(dashboardFrame(state, glyphs), THEMES[profile.theme])));
  const dispatch = (action: Action): void => {
    state = reduce(state, action);
    pacer.request();
  };
  const onInput = (events: readonly InputEvent[]): void => {
    for (const event of events) {
      const command = commandFor(state, event, events.length);
      if (command?.type === 'quit') ended.resolve(EXIT.ok);
      else if (command?.type === 'repaint') screen.repaint();
      else if (command !== null) dispatch(command);
    }
  };
  const onResize = (): void => dispatch({ type: 'resize', size: screen.size() });
  const screen = openScreen({ output: process.stdout, terminal: profile.terminal, unicode: profile.unicode, onResize });
  const keyboard = openKeyboard(process.stdin, clock, onInput);
  const restore = (): void => {
    keyboard.close();
    screen.close();
  };
  const guard = guardProcess(process, restore, (cause) => {
    restore();
    settle(cause, ended);
  });
  const stopWatching = watchTerminal(() => ended.resolve(EXIT.interrupted));
  let state = initialState({
    where: options.where,
    readOnly: options.readOnly,
    // Two missed statuses and a little.
    staleAfterMs: 2 * Math.max(TICK_MS, intervalMs) + 1000,
    size: screen.size(),
    nowMs: clock.nowMs(),
  });
  const ticking = repeat(clock, TICK_MS, () => dispatch({ type: 'tick', nowMs: clock.nowMs() }));
  pacer.request();
  runFeed({ ...options, signal: feedEnd.signal }, dispatch).catch((error: unknown) => ended.reject(failureOf(error)));
  try {
    return await ended.promise;
  } finally {
    feedEnd.abort();
    ticking.cancel();
    pacer.close();
    restore();
    stopWatching();
    guard.close();
  }
}

function settle(cause: EndCause, ended: PromiseWithResolvers<ExitCode>): void {
  if (cause.kind === 'signal') ended.resolve(EXIT.interrupted);
  else ended.reject(failureOf(cause.error));
}

/** An expected failure says all there is to say; a defect needs its stack to be found. */
function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CommandFailure(EXIT.failed, `the dashboard ended because of a defect; please report this:\n${detail}`, { cause: error });
}

/** Calls `gone` when the terminal went away without a signal: its input ended, or writing to it failed. */
function watchTerminal(gone: () => void): () => void {
  process.stdin.on('end', gone);
  process.stdin.on('error', gone);
  // Stays: the last writes to a terminal that is gone fail after everything else is over.
  process.stdout.on('error', gone);
  return () => {
    process.stdin.off('end', gone);
    process.stdin.off('error', gone);
  };
}

function repeat(clock: Clock, everyMs: number, run: () => void): Timer {
  const tick = (): void => {
    timer = clock.after(everyMs, tick);
    run();
  };
  let timer = clock.after(everyMs, tick);
  return { cancel: () => timer.cancel() };
}
