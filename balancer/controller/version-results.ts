// What the tries of each version came to, minute by minute for an hour and hour by hour for a day, for versions held side by side.
import type { MetricsDelta } from '../telemetry/meter.ts';
import { addTo, countOutcome, noCounts, outcomePlace, SERVICE_LABEL, type Counts } from './driver/outcomes.ts';

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;
/** The one that runs is kept too. */
const KEPT = { minutes: MINUTES_PER_HOUR + 1, hours: 24 + 1 } as const;

/** By the number of the minute or hour. */
export type Rows = Map<number, Counts>;

export interface History {
  readonly minutes: Rows;
  readonly hours: Rows;
}

/** Of a service, for the next controller. */
export interface KeptResults {
  /** Since when there is anything to count. */
  readonly sinceMs: number;
  /** By version. */
  readonly versions: ReadonlyMap<string, History>;
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

  /** Of services that were there before this controller. */
  readonly #sinceMs = new Map<string, number>();
  /** Since they were taken; those that wait longest first. */
  readonly #changed = new Set<string>();

  /** `nowMs`: since 1970, so that the next controller goes on with the same minutes; it never goes back. */
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
      const service = series.labels[place] ?? '';
      const { minutes, hours } = this.#historyOf(service, version);
      countOutcome(rowOf(minutes, minute, KEPT.minutes), series);
      this.#changed.add(service);
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
    const sinceMs = Math.max(this.#since(service), oldest * unitMs);
    return { versions, seconds: Math.max(0, Math.round((nowMs - sinceMs) / 1000)) };
  }

  /** Lets go of services that the config has no more. */
  keep(services: Readonly<Record<string, unknown>>): void {
    for (const name of this.#services.keys()) {
      if (Object.hasOwn(services, name)) continue;
      this.#services.delete(name);
      this.#sinceMs.delete(name);
      this.#changed.add(name);
    }
  }

  /** Services whose counts are others than when they were last taken. */
  get changed(): readonly string[] {
    return [...this.#changed];
  }

  /** To be stored; null: nothing is counted any more. */
  take(service: string): KeptResults | null {
    this.#changed.delete(service);
    const versions = this.#services.get(service);
    return versions === undefined ? null : { sinceMs: this.#since(service), versions };
  }

  /** Goes on with what the controller before had counted. Rows of a time that has not come are of a clock that was wrong. */
  restore(service: string, { sinceMs, versions }: KeptResults): void {
    const minute = Math.floor(this.#nowMs() / MINUTE_MS);
    this.#sinceMs.set(service, Math.min(sinceMs, this.#startedMs));
    const past = (rows: Rows, now: number): Rows => new Map([...rows].filter(([number]) => number <= now));
    const histories = [...versions].map(
      ([version, { minutes, hours }]) =>
        [version, { minutes: past(minutes, minute), hours: past(hours, Math.floor(minute / MINUTES_PER_HOUR)) }] as const,
    );
    this.#services.set(service, new Map(histories));
  }

  #since(service: string): number {
    return this.#sinceMs.get(service) ?? this.#startedMs;
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
