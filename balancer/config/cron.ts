// Times that repeat, written as in cron: minute, hour, day of the month, month, day of the week, by the clock of a time zone.

interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** With both restricted, a day that fits either of them fits. */
  readonly eitherDay: boolean;
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MINUTE_MS = 60_000;

/** Null: that is no schedule. */
export function parseCron(text: string): Schedule | null {
  const [minute, hour, day, month, weekday, ...more] = text.trim().toLowerCase().split(/\s+/);
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined) return null;
  const minutes = parseField(minute, { min: 0, max: 59 });
  const hours = parseField(hour, { min: 0, max: 23 });
  const days = parseField(day, { min: 1, max: 31 });
  const months = parseField(month, { min: 1, max: 12, names: MONTHS });
  const weekdays = parseField(weekday, { min: 0, max: 7, names: WEEKDAYS });
  if (more.length > 0 || minutes === null || hours === null || days === null || months === null || weekdays === null) return null;
  const eitherDay = !day.startsWith('*') && !weekday.startsWith('*');
  return { minutes, hours, days, months, weekdays: new Set([...weekdays].map((number) => number % 7)), eitherDay };
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Whether the minute of this time is one of the schedule's. */
export function isWithin(text: string, timeZone: string, wallMs: number): boolean {
  const schedule = parseCron(text);
  if (schedule === null) return false;
  const parts = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', weekday: 'short', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
  }).formatToParts(Math.floor(wallMs / MINUTE_MS) * MINUTE_MS);
  const of = (type: string): string => parts.find((part) => part.type === type)?.value ?? '';
  const { minutes, hours, days, months, weekdays, eitherDay } = schedule;
  const day = days.has(Number(of('day')));
  const weekday = weekdays.has(WEEKDAYS.indexOf(of('weekday').toLowerCase()));
  const dayFits = eitherDay ? day || weekday : day && weekday;
  return dayFits && minutes.has(Number(of('minute'))) && hours.has(Number(of('hour'))) && months.has(Number(of('month')));
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/** A list of `*`, `5`, `1-5`, each with an optional step: `*\/15`. */
function parseField(text: string, range: Range): ReadonlySet<number> | null {
  const all = new Set<number>();
  for (const part of text.split(',')) {
    const [, from, to, step] = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(part) ?? [];
    if (from === undefined || (from === '*' && to !== undefined)) return null;
    const first = from === '*' ? range.min : numberOf(from, range);
    const last = from === '*' ? range.max : to === undefined ? first : numberOf(to, range);
    const by = step === undefined ? 1 : Number(step);
    if (first === null || last === null || first > last || by < 1) return null;
    for (let number = first; number <= last; number += by) all.add(number);
  }
  return all;
}

function numberOf(text: string, { min, max, names = [] }: Range): number | null {
  const named = names.indexOf(text);
  const number = named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return number >= min && number <= max ? number : null;
}
