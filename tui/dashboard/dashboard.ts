// The running dashboard: feed, keyboard, mouse and clock change the state, the state becomes frames, and one place gives the terminal back.
import type { Clock, Random, Timer } from '../../health/clock.ts';
import type { AdminClient } from '../client.ts';
import type { CommandGroup, Programs } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { Effects } from './effects.ts';
import { runFeed } from './feed.ts';
import { type Frame, hitAt } from './frame.ts';
import { type EndCause, guardProcess } from './guard.ts';
import type { InputEvent } from './input.ts';
import { openKeyboard } from './keyboard.ts';
import { commandFor, type KeyCommand, takesText } from './keys.ts';
import { openLastResort } from './last-resort.ts';
import type { Look } from './look.ts';
import { type Action, initialState, reduce } from './model.ts';
import { createPacer } from './pacer.ts';
import { openScreen } from './screen.ts';
import type { DashboardState, SavedView } from './state.ts';
import type { TerminalProfile } from './terminal-profile.ts';
import { paint, THEMES } from './theme.ts';
import { dashboardFrame } from './views/dashboard.ts';

export interface DashboardOptions {
  readonly client: AdminClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly profile: TerminalProfile;
  readonly look: Look;
  readonly readOnly: boolean;
  readonly mouse: boolean;
  readonly intervalMs: number;
  /** What it begins with; null: the overview. */
  readonly view: SavedView | null;
  /** The commands that can be typed in it. */
  readonly groups: readonly CommandGroup[];
  readonly programs: Pick<Programs, 'check' | 'configSchema'>;
  readonly version: string;
}

/** Five frames a second: faster than anybody reads, slow enough for a terminal over a slow line. */
const MIN_FRAME_GAP_MS = 200;
/** Ages and the clock move without news. */
const TICK_MS = 1000;
/** How often the versions of a service that is looked at are compared anew. */
const RESULTS_MS = 10_000;

/** Runs until the operator quits or a signal comes. The terminal is as it was before this settles, also when it rejects. */
export async function runDashboard(options: DashboardOptions): Promise<ExitCode> {
  const ended = Promise.withResolvers<ExitCode>();
  const running = new Running(options, ended);
  const guard = guardProcess(
    process,
    () => running.restore(),
    (cause) => {
      running.restore();
      settle(cause, ended);
    },
  );
  const stopWatching = watchTerminal(() => ended.resolve(EXIT.interrupted));
  running.start();
  try {
    return await ended.promise;
  } finally {
    running.close();
    stopWatching();
    guard.close();
  }
}

class Running {
  readonly #options: DashboardOptions;
  readonly #ended: PromiseWithResolvers<ExitCode>;
  readonly #feedEnd = new AbortController();
  readonly #lastResort = openLastResort();
  readonly #screen: ReturnType<typeof openScreen>;
  readonly #keyboard: ReturnType<typeof openKeyboard>;
  readonly #pacer: ReturnType<typeof createPacer>;
  readonly #effects: Effects;
  #state: DashboardState;
  #frame: Frame = [];
  #timers: readonly Timer[] = [];

  constructor(options: DashboardOptions, ended: PromiseWithResolvers<ExitCode>) {
    const { client, clock, profile, readOnly, intervalMs, look, mouse } = options;
    this.#options = options;
    this.#ended = ended;
    const onResize = (): void => this.#dispatch({ type: 'resize', size: this.#screen.size() });
    this.#screen = openScreen({ output: process.stdout, terminal: profile.terminal, unicode: profile.unicode, onResize });
    this.#keyboard = openKeyboard(process.stdin, clock, (events) => this.#onInput(events));
    this.#pacer = createPacer(clock, MIN_FRAME_GAP_MS, () => this.#draw());
    const seen = { where: client.where, context: client.context, readOnly, intervalMs, look, mouse };
    this.#state = initialState({ ...seen, size: this.#screen.size(), nowMs: clock.nowMs() });
    this.#effects = new Effects({
      ...options,
      columns: this.#state.size.columns,
      directory: process.cwd(),
      state: () => this.#state,
      dispatch: (action) => this.#dispatch(action),
      write: (text) => void process.stdout.write(text),
    });
  }

  start(): void {
    const { client, clock, random, view } = this.#options;
    process.on('SIGTSTP', this.#suspend);
    process.on('SIGCONT', this.#goOn);
    this.#screen.mouse(this.#state.mouse);
    if (view !== null) this.#dispatch({ type: 'view', view });
    this.#timers = [
      repeat(clock, TICK_MS, () => this.#dispatch({ type: 'tick', nowMs: clock.nowMs() })),
      repeat(clock, RESULTS_MS, () => this.#compare()),
    ];
    this.#pacer.request();
    const intervalMs = (): number => this.#state.intervalMs;
    const feed = { open: client.feed.bind(client), clock, random, intervalMs, signal: this.#feedEnd.signal };
    runFeed(feed, (event) => this.#dispatch(event)).catch((error: unknown) => this.#ended.reject(failureOf(error)));
  }

  /** The terminal as it was; idempotent, and possible while the process ends. */
  restore(): void {
    this.#keyboard.close();
    this.#screen.close();
    this.#lastResort?.close();
  }

  close(): void {
    process.off('SIGTSTP', this.#suspend);
    process.off('SIGCONT', this.#goOn);
    this.#feedEnd.abort();
    for (const timer of this.#timers) timer.cancel();
    this.#pacer.close();
    this.#effects.close();
    this.restore();
  }

  #dispatch(action: Action): void {
    const before = this.#state;
    const after = reduce(before, action);
    this.#state = after.asks.length === 0 ? after : reduce(after, { type: 'asked' });
    if (before.mouse !== after.mouse) this.#screen.mouse(after.mouse);
    this.#pacer.request();
    for (const ask of after.asks) this.#effects.perform(ask).catch((error: unknown) => this.#ended.reject(failureOf(error)));
  }

  #draw(): void {
    this.#frame = dashboardFrame(this.#state);
    this.#screen.draw(paint(this.#frame, THEMES[this.#state.look.theme]));
  }

  #onInput(events: readonly InputEvent[]): void {
    for (const event of events) {
      if (event.kind === 'mouse') this.#onMouse(event);
      else this.#obey(commandFor(this.#state, event, events.length));
    }
  }

  #obey(command: KeyCommand | null): void {
    if (command === null) return;
    if (command.type === 'quit') this.#ended.resolve(EXIT.ok);
    else if (command.type === 'repaint') this.#screen.repaint();
    else if (command.type === 'suspend') this.#suspend();
    else this.#dispatch(command);
  }

  /** A click does what is drawn there; on the row that is selected already it opens it. */
  #onMouse({ act, column, row }: Extract<InputEvent, { readonly kind: 'mouse' }>): void {
    const key = (name: string): void => this.#obey(commandFor(this.#state, { kind: 'key', name }, 1));
    if (act !== 'click') return key(act === 'wheel-up' ? 'up' : 'down');
    const hit = hitAt(this.#frame, column, row);
    const over = this.#state.overlay !== null;
    // What is drawn beside a list that lies over the screen is not what is clicked at; a key in a line of text would be a letter.
    if (hit === null || (over && hit.type !== 'overlayItem' && (hit.type !== 'key' || (hit.name.length === 1 && takesText(this.#state)))))
      return;
    if (hit.type === 'key') return key(hit.name);
    const selected = this.#state.lists[this.#state.screen].selection.id;
    if (hit.type === 'select' && hit.id === selected) return key('enter');
    this.#dispatch(hit);
  }

  /** Until the shell lets it go on, the terminal is the shell's: by Ctrl-Z, or by a signal from elsewhere. */
  readonly #suspend = (): void => {
    this.#keyboard.pause();
    this.#screen.suspend();
    // Without a listener the signal stops this process.
    process.off('SIGTSTP', this.#suspend);
    // The whole group, as Ctrl-Z in a shell: who started this may wait for it.
    process.kill(0, 'SIGTSTP');
  };

  /** Also after a stop that no process sees coming: the shell had the terminal meanwhile. */
  readonly #goOn = (): void => {
    process.off('SIGTSTP', this.#suspend);
    process.on('SIGTSTP', this.#suspend);
    this.#keyboard.pause();
    this.#keyboard.resume();
    this.#screen.resume();
    this.#screen.mouse(this.#state.mouse);
    this.#dispatch({ type: 'resize', size: this.#screen.size() });
  };

  #compare(): void {
    const { screen, subjects } = this.#state;
    if (screen !== 'service' || subjects.service === null) return;
    const ask = { kind: 'results', service: subjects.service, number: 0 } as const;
    this.#effects.perform(ask).catch((error: unknown) => this.#ended.reject(failureOf(error)));
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
