// The process of the controller: begins, makes room for that of a successor, goes on when that one fails, ends.
import { systemClock } from '../../health/clock.ts';
import { decodeSupervisorMessage, type ChildMessage, type SupervisorMessage } from '../ipc-life-cycle.ts';
import { Controller, type ControllerOptions } from './controller.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Runs the controller of this process until the supervisor ends it or is gone. */
export async function runController(options: ControllerOptions): Promise<void> {
  const say = (message: ChildMessage): void => void process.send?.(message);
  const { promise: asked, resolve: end } = Promise.withResolvers<undefined>();
  const seat = new Seat(options, say, () => end(undefined));
  process.once('disconnect', () => end(undefined));
  process.on('message', (value: unknown) => {
    const message = decodeSupervisorMessage(value);
    if (message?.type === 'drain') end(undefined);
    else if (message !== null) seat.receive(message);
  });
  if (options.standby) say({ type: 'standing_by' });
  else seat.begin([]);
  await asked;
  await seat.close();
}

/** What a successor had that failed is free when its processes are gone, a moment after its supervisor. */
const RETAKE_MS = 10_000;
const RETAKE_AGAIN_MS = 50;

/** Where the controller of this process sits: empty until it begins, and while a successor tries to take its place. */
class Seat {
  readonly #options: ControllerOptions;
  readonly #say: (message: ChildMessage) => void;
  readonly #onFailed: () => void;
  readonly #turns = new OneAtATime();
  #controller: Controller | null = null;
  #hasReleased = false;
  #closing = false;

  constructor(options: ControllerOptions, say: (message: ChildMessage) => void, onFailed: () => void) {
    this.#options = options;
    this.#say = say;
    this.#onFailed = onFailed;
  }

  receive(message: SupervisorMessage): void {
    if (message.type === 'reload') void this.#controller?.reload();
    else if (message.type === 'renewal') this.#controller?.takeRenewal(message.renewal);
    else if (message.type === 'hung') this.#controller?.takeHung(message.child, message.silentMs);
    else if (message.type === 'alone') this.#controller?.alone();
    else if (message.type === 'begin') this.begin(message.before);
    else if (message.type === 'release') void this.#turns.run(() => this.#release());
  }

  /** `before`: see `Begin`. */
  begin(before: readonly string[]): void {
    void this.#turns.run(async () => {
      try {
        await this.#begin(before);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        this.#options.log.error({ problem }, 'the controller cannot start');
        this.#say({ type: 'failed', problem });
        process.exitCode = 1;
        this.#onFailed();
      }
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    return this.#turns.run(() => this.#empty());
  }

  async #begin(before: readonly string[]): Promise<void> {
    const untilMs = systemClock.nowMs() + (this.#hasReleased ? RETAKE_MS : 0);
    for (;;) {
      try {
        this.#controller = new Controller(this.#options, this.#say, before);
        await this.#controller.start();
        return;
      } catch (error) {
        if (this.#closing || systemClock.nowMs() >= untilMs) throw error;
        await this.#empty();
        await new Promise<void>((resolve) => void systemClock.after(RETAKE_AGAIN_MS, resolve));
      }
    }
  }

  async #release(): Promise<void> {
    await this.#empty();
    this.#hasReleased = true;
    this.#say({ type: 'released' });
  }

  async #empty(): Promise<void> {
    const controller = this.#controller;
    this.#controller = null;
    await controller?.close();
  }
}
