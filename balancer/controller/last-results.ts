// What the versions of each service have come to, kept for the next controller: versions are held side by side over hours, and a restart must not begin anew.
import type { Clock } from '../../health/clock.ts';
import { members, number, StoredTextError } from '../store/decode-parts.ts';
import type { Store } from '../store/store.ts';
import { noCounts, type Counts } from './driver/outcomes.ts';
import type { KeptResults, Rows, VersionResults } from './version-results.ts';

const KEY = 'results.';
/** Between two writes of one service: what a controller that is killed has counted and not stored is at most this. */
const WRITE_MS = 5000;
/** A second; so the cost is the same with a thousand services, which are stored less often then. */
const WRITES = 10;

export class LastResults {
  readonly #store: Pick<Store, 'getValue' | 'putValue'>;
  readonly #clock: Clock;
  readonly #writtenMs = new Map<string, number>();

  constructor(store: Pick<Store, 'getValue' | 'putValue'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What cannot be read counts anew. */
  read(services: readonly string[], into: VersionResults): void {
    for (const service of services) {
      const text = this.#store.getValue(KEY + service);
      const kept = text === null || text === '' ? null : decode(text);
      if (kept !== null) into.restore(service, kept);
    }
  }

  /** Once a second, and with `all` at the end. */
  write(results: VersionResults, all = false): void {
    const nowMs = this.#clock.nowMs();
    let left = all ? Infinity : WRITES;
    for (const service of results.changed) {
      if (left === 0) return;
      if (!all && nowMs - (this.#writtenMs.get(service) ?? -Infinity) < WRITE_MS) continue;
      const kept = results.take(service);
      this.#store.putValue(KEY + service, kept === null ? '' : encode(kept));
      this.#writtenMs.set(service, nowMs);
      left -= 1;
    }
  }
}

function encode({ sinceMs, versions }: KeptResults): string {
  const rows = (of: Rows): unknown => [...of].map(([at, counts]) => [at, ...figures(counts)]);
  return JSON.stringify({
    sinceMs,
    versions: Object.fromEntries([...versions].map(([name, { minutes, hours }]) => [name, { minutes: rows(minutes), hours: rows(hours) }])),
  });
}

/** Of the latency only the buckets that have something, each with its index before it. */
function figures({ requests, errors, compared, different, latency }: Counts): readonly number[] {
  return [requests, errors, compared, different, ...latency.flatMap((count, index) => (count === 0 ? [] : [index, count]))];
}

function decode(text: string): KeptResults | null {
  try {
    const kept = members(JSON.parse(text), 'results');
    const versions = Object.entries(members(kept['versions'], 'results.versions')).map(([name, value]) => {
      const of = members(value, `results.${name}`);
      return [name, { minutes: decodeRows(of['minutes']), hours: decodeRows(of['hours']) }] as const;
    });
    return { sinceMs: number(kept['sinceMs'], 'results.sinceMs'), versions: new Map(versions) };
  } catch {
    return null;
  }
}

function decodeRows(value: unknown): Rows {
  if (!Array.isArray(value)) throw new StoredTextError('results', 'a list');
  return new Map(
    value.map((row: unknown) => {
      if (!Array.isArray(row)) throw new StoredTextError('results', 'a list');
      const [at = 0, requests = 0, errors = 0, compared = 0, different = 0, ...latency] = row.map((one: unknown) => number(one, 'results'));
      const counts = { ...noCounts(), requests, errors, compared, different };
      for (let index = 0; index + 1 < latency.length; index += 2) {
        const bucket = latency[index] ?? 0;
        if (bucket in counts.latency) counts.latency[bucket] = latency[index + 1] ?? 0;
      }
      return [at, counts] as const;
    }),
  );
}
