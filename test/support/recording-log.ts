// A log that keeps what was said in it.
import type { Log } from '../../balancer/log.ts';

export interface Said {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export function recordingLog(): { readonly log: Log; readonly said: readonly Said[] } {
  const said: Said[] = [];
  const at =
    (level: Said['level']) =>
    (fields: Said['fields'], message: string): void =>
      void said.push({ level, fields, message });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return { log, said };
}
