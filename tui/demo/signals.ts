// The demo's signals: three that end it, one that brings lost clusters back.

/** Signals that end it; HUP is a terminal that was closed. */
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const BRING_BACK_SIGNAL = 'SIGUSR2';

export interface DemoSignals extends Disposable {
  readonly ending: AbortSignal;
  /** What the bring-back signal calls; before this it does nothing. */
  onBringBack(run: () => void): void;
}

/** Takes the signals until disposed; a second Ctrl-C while the demo ends does not cut its ending short. */
export function takeSignals(): DemoSignals {
  const controller = new AbortController();
  let bringBack: () => void = () => undefined;
  const end = (): void => controller.abort();
  const restore = (): void => bringBack();
  for (const name of END_SIGNALS) process.on(name, end);
  process.on(BRING_BACK_SIGNAL, restore);
  return {
    ending: controller.signal,
    onBringBack: (run) => {
      bringBack = run;
    },
    [Symbol.dispose]: () => {
      for (const name of END_SIGNALS) process.off(name, end);
      process.off(BRING_BACK_SIGNAL, restore);
    },
  };
}
