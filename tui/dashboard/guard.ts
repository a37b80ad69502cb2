// Whatever ends the process, the terminal is given back first: signals, errors nobody caught, a terminal that went away.

/** Why the dashboard has to end. */
export type EndCause = { readonly kind: 'signal'; readonly signal: NodeJS.Signals } | { readonly kind: 'error'; readonly error: unknown };

/** What is used of `process`. */
export type GuardedProcess = Pick<NodeJS.Process, 'on' | 'off'>;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

export interface Guard {
  /** Takes all handlers away. Idempotent. */
  close(): void;
}

/**
 * Calls `end` once for whatever comes first. blessed installs handlers of its own, but they step aside as soon as somebody else listens,
 * and then nobody leaves the alternate screen; so this listens to all of them. `restore` must also work inside the `exit` event.
 */
export function guardProcess(target: GuardedProcess, restore: () => void, end: (cause: EndCause) => void): Guard {
  const onError = (error: unknown): void => end({ kind: 'error', error });
  const onSignal = (signal: NodeJS.Signals): void => end({ kind: 'signal', signal });
  target.on('uncaughtException', onError);
  target.on('unhandledRejection', onError);
  target.on('exit', restore);
  for (const signal of SIGNALS) target.on(signal, onSignal);
  return {
    close: () => {
      target.off('uncaughtException', onError);
      target.off('unhandledRejection', onError);
      target.off('exit', restore);
      for (const signal of SIGNALS) target.off(signal, onSignal);
    },
  };
}
