// The process log: one JSON object a line on stderr. The only importer of pino.
import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Fields first, then a short constant message, so that lines can be searched by message. */
export interface Log {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
  /** A log whose lines all carry `fields`. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/** Makes the log of a process; `name` is its role (`supervisor`, `controller`, `worker`, `agent`). */
export function createLog(name: string, level: LogLevel = 'info'): Log {
  return pino({ name, level }, pino.destination({ fd: 2, sync: true }));
}

/** A log that says nothing, for tests and for pure callers. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
