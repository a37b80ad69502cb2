// What the tries of each version came to, minute by minute for an hour and hour by hour for a day, for versions held side by side.
import type { MetricsDelta } from '../telemetry/meter.ts';
import { addTo, countOutcome, noCounts, outcomePlace, SERVICE_LABEL, type Counts } from './driver/outcomes.ts';

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
/** The one that runs is kept too. */
const KEPT = { minutes: MINUTES_PER_HOUR + 1, hours: 24 + 1 } as const;

/** By the number of the minute or hour. */
type Rows = Map<number, Counts>;

interface History {
  readonly minutes: Rows;
  readonly hours: Rows;
}

export interface Covered {
  /** By version. */
  readonly versions: ReadonlyMap<string, Counts>;
  readonly seconds: number;
}

export class VersionResults {
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  /** Service → version → history. */
  readonly #services = new Map<string, Map<string, History>>();

  /** `nowMs`: a monotonic clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  add(delta: MetricsDelta): void {
    const minute = Math.floor(this.#nowMs() / MINUTE_MS);
    for (const series of delta) {
      const place = SERVICE_LABEL[series.name];
      if (place === undefined) continue;
      const { version } = outcomePlace(series);
      if (version === '') continue;
      const { minutes, hours } = this.#historyOf(series.labels[place] ?? '', version);
      countOutcome(rowOf(minutes, minute, KEPT.minutes), series);
      countOutcome(rowOf(hours, Math.floor(minute / MINUTES_PER_HOUR), KEPT.hours), series);
    }
  }

  /** Over the last `seconds`, rounded up to whole minutes, or hours beyond one; the one that runs is in it. */
  of(service: string, seconds: number): Covered {
    const nowMs = this.#nowMs();
    const byHour = seconds > MINUTES_PER_HOUR * 60;
    const unitMs = byHour ? MINUTES_PER_HOUR * MINUTE_MS : MINUTE_MS;
    const now = Math.floor(nowMs / unitMs);
    const oldest = now - Math.min(Math.ceil((seconds * 1000) / unitMs), (byHour ? KEPT.hours : KEPT.minutes) - 1);
    const versions = new Map<string, Counts>();
    for (const [version, { minutes, hours }] of this.#services.get(service) ?? []) {
      const sum = noCounts();
      for (const [number, row] of byHour ? hours : minutes) if (number >= oldest) addTo(sum, row);
      versions.set(version, sum);
    }
    const sinceMs = Math.max(this.#startedMs, oldest * unitMs);
    return { versions, seconds: Math.max(0, Math.round((nowMs - sinceMs) / 1000)) };
  }

  /** Lets go of services that the config has no more. */
  keep(services: Readonly<Record<string, unknown>>): void {
    for (const name of this.#services.keys()) if (!Object.hasOwn(services, name)) this.#services.delete(name);
  }

  #historyOf(service: string, version: string): History {
    let versions = this.#services.get(service);
    if (versions === undefined) this.#services.set(service, (versions = new Map<string, History>()));
    let history = versions.get(version);
    if (history === undefined) versions.set(version, (history = { minutes: new Map(), hours: new Map() }));
    return history;
  }
}

function rowOf(rows: Rows, number: number, kept: number): Counts {
  let row = rows.get(number);
  if (row !== undefined) return row;
  for (const old of rows.keys()) if (old <= number - kept) rows.delete(old);
  rows.set(number, (row = noCounts()));
  return row;
}
