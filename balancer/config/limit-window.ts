// Windows of quotas: days and months of UTC. Pure.
import type { CalendarWindow } from './limit-config.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS: Readonly<Record<CalendarWindow, number>> = { day: 1, month: 31 };

/** Milliseconds since 1970, the end excluded. */
export interface WindowOfTime {
  readonly startMs: number;
  readonly endMs: number;
}

export const longestMs = (calendar: CalendarWindow): number => MOST_DAYS[calendar] * DAY_MS;

/** The window that an instant is in, or one so many before (negative) or after it. */
export function windowAt(calendar: CalendarWindow, wallMs: number, offset = 0): WindowOfTime {
  const at = new Date(wallMs);
  const start = (more: number): number =>
    calendar === 'day'
      ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + offset + more)
      : Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + offset + more);
  return { startMs: start(0), endMs: start(1) };
}
