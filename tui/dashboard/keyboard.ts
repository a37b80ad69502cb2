// The terminal's input: raw mode, decoded keys, and both given back on close. The library that draws never sees it.
import type { Clock, Timer } from '../../health/clock.ts';
import { createKeyDecoder, type InputEvent } from './input.ts';

/** What is used of process.stdin. */
export interface RawInput {
  setRawMode(on: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data', listener: (text: string) => void): unknown;
  off(event: 'data', listener: (text: string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export interface Keyboard {
  /** Gives the terminal back for a while. */
  pause(): void;
  resume(): void;
  /** Idempotent. */
  close(): void;
}

/** `onInput` gets what came in one piece: a person types one key at a time, a paste does not. */
export function openKeyboard(input: RawInput, clock: Clock, onInput: (events: readonly InputEvent[]) => void): Keyboard {
  const decoder = createKeyDecoder();
  let waiting: Timer | null = null;
  let open = true;
  const deliver = (events: readonly InputEvent[]): void => {
    if (open && events.length > 0) onInput(events);
  };
  const onData = (text: string): void => {
    waiting?.cancel();
    deliver(decoder.push(text));
    const { waitMs } = decoder;
    waiting = waitMs === null || !open ? null : clock.after(waitMs, () => deliver(decoder.flush()));
  };
  input.setEncoding('utf8');
  input.setRawMode(true);
  input.on('data', onData);
  input.resume();
  return {
    pause: () => {
      input.setRawMode(false);
      input.pause();
    },
    resume: () => {
      if (!open) return;
      input.setRawMode(true);
      input.resume();
    },
    close: () => {
      if (!open) return;
      open = false;
      waiting?.cancel();
      input.off('data', onData);
      input.setRawMode(false);
      // Otherwise the open terminal keeps the process alive.
      input.pause();
    },
  };
}
