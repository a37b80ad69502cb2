// The history of a host: what workers count goes into points of a second, these into those of ten seconds, a minute and an hour, and all into a file.
import type { MetricsDelta, SeriesDelta } from '../meter.ts';
import { BUCKETS } from '../latency-buckets.ts';
import { addPoint, clearPoint, emptyPoint, HEALTH_CODES, PointWriter, readPoints, saysNothing, type Point } from './points.ts';
import { chunkMs, chunkStart, stepStart, TIERS, type Tier } from './tiers.ts';

/** `all`, `service/NAME`, `version/SERVICE/VERSION`, `cluster/NAME`. */
export type SeriesName = string;

/** A chunk of a series. */
export interface Chunk {
  readonly series: SeriesName;
  readonly startMs: number;
  readonly bytes: Uint8Array;
}

/** Where chunks are kept. */
export interface HistoryStore {
  /** All in one transaction; drops what is older than the tier is kept, and the oldest of a tier that has more than its part. */
  put(tier: Tier, startMs: number, chunks: readonly Omit<Chunk, 'startMs'>[], nowMs: number): void;
  /** Keeps one step of the finest tier until the chunk that has it is put: pieces of that chunk. */
  keep(stepMs: number, pieces: readonly Omit<Chunk, 'startMs'>[]): void;
  /** What is kept, the oldest first; `startMs` is that of the chunk. */
  kept(): Iterable<Chunk>;
  /** Of one series, those that begin in [fromMs, toMs), the oldest first. */
  chunks(tier: Tier, series: SeriesName, range: Range): readonly Chunk[];
  /** The same of all series. */
  allChunks(tier: Tier, range: Range): Iterable<Chunk>;
  /** When the newest chunk of a tier begins; null: there is none. */
  newest(tier: Tier): number | null;
  /** The same of the oldest. */
  oldest(tier: Tier): number | null;
  names(): readonly SeriesName[];
  close(): void;
}

export interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is known of a cluster or a version at a moment and not counted. */
export interface Standing {
  readonly series: SeriesName;
  readonly health?: string;
  /** Millionths. */
  readonly desired?: number;
  readonly effective?: number;
}

export const ALL: SeriesName = 'all';

/** What is being counted, and what of it is not written yet. */
interface Open {
  readonly tier: Tier;
  /** Of the step that runs. */
  stepMs: number;
  chunkMs: number;
  readonly points: Map<SeriesName, Point>;
  readonly writers: Map<SeriesName, PointWriter>;
}

export interface HistoryOptions {
  readonly store: HistoryStore;
  readonly wallMs: () => number;
  /** Series with requests in a chunk of the finest steps; of more, those with the most are kept. */
  readonly maxSeries: () => number;
  readonly onDropped: (series: number) => void;
  /** A disk that takes nothing costs what should be written, and nothing else. */
  readonly onProblem: (problem: string) => void;
}

export class History {
  readonly #options: HistoryOptions;
  readonly #open: readonly Open[];
  /** What is not kept for want of room, until the next chunk. */
  #dropped = new Set<SeriesName>();
  #requests = new Map<SeriesName, number>();

  constructor(options: HistoryOptions) {
    this.#options = options;
    const nowMs = options.wallMs();
    this.#open = TIERS.map((tier) => ({
      tier,
      stepMs: stepStart(tier, nowMs),
      chunkMs: chunkStart(tier, nowMs),
      points: new Map(),
      writers: new Map(),
    }));
    this.#restore(nowMs);
  }

  /** Adds what a worker counted, at the time it arrived. */
  add(delta: MetricsDelta): void {
    this.#advance(this.#options.wallMs());
    for (const series of delta) {
      if (series.value === 0) continue;
      if (series.name === 'weir_requests_total') this.#count(series, 1, (code) => code === '5xx');
      else if (series.name === 'weir_l4_connections_total') this.#count(series, 2, (outcome) => outcome !== 'established');
      else if (series.name === 'weir_request_duration_seconds') this.#time(series);
    }
  }

  /** Once a second: what is so now, and the end of steps that are over. */
  tick(standings: readonly Standing[]): void {
    this.#advance(this.#options.wallMs());
    for (const { series, health, desired, effective } of standings) {
      const point = this.#point(series);
      if (health !== undefined) point.health = Math.max(point.health, healthCode(health));
      if (desired !== undefined) point.desired = desired;
      if (effective !== undefined) point.effective = effective;
    }
    // That the host ran is known by this.
    this.#point(ALL);
  }

  /** Keeps what was counted in the step that runs; all else is made from what is kept at the next start. */
  close(): void {
    const [finest] = this.#open;
    if (finest === undefined) return;
    const { stepMs } = finest;
    this.#keep(stepMs, this.#endStep(finest, stepMs + finest.tier.stepMs));
    this.#options.store.close();
  }

  /** Calls `each` with the points of a series, the oldest first, those that are not written yet included; the point is valid during the call. */
  read(tier: Tier, series: SeriesName, range: Range, each: (stepMs: number, point: Point) => void): void {
    const { fromMs, toMs } = range;
    const within = (startMs: number, bytes: Uint8Array): void =>
      readPoints(bytes, (offset, point) => {
        const stepMs = startMs + offset * tier.stepMs;
        if (stepMs >= fromMs && stepMs < toMs) each(stepMs, point);
      });
    const wanted = { fromMs: chunkStart(tier, fromMs), toMs };
    for (const { startMs, bytes } of this.#options.store.chunks(tier, series, wanted)) within(startMs, bytes);
    const open = this.#open.find((one) => one.tier === tier);
    if (open === undefined) return;
    const writer = open.writers.get(series);
    if (writer !== undefined) within(open.chunkMs, writer.bytes());
    const point = open.points.get(series);
    if (point !== undefined && open.stepMs >= fromMs && open.stepMs < toMs && (series === ALL || !saysNothing(point)))
      each(open.stepMs, point);
  }

  /** Whatever was recorded and begins so. */
  names(prefix: string): readonly SeriesName[] {
    const names = new Set(this.#options.store.names());
    for (const { points, writers } of this.#open) for (const name of [...points.keys(), ...writers.keys()]) names.add(name);
    return [...names].filter((name) => name.startsWith(prefix));
  }

  oldestMs(tier: Tier): number | null {
    return this.#options.store.oldest(tier);
  }

  #count({ labels, value }: SeriesDelta, first: number, isError: (what: string) => boolean): void {
    const [service = '', version = '', cluster = '', what = ''] = labels.slice(first);
    const errors = isError(what) ? value : 0;
    for (const name of namesOf(service, version, cluster)) {
      const point = this.#point(name);
      point.requests += value;
      point.errors += errors;
    }
  }

  #time({ labels, buckets }: SeriesDelta): void {
    if (buckets?.length !== BUCKETS) return;
    const [service = '', version = '', cluster = ''] = labels;
    for (const name of namesOf(service, version, cluster)) {
      const point = this.#point(name);
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) point.buckets[bucket] = (point.buckets[bucket] ?? 0) + (buckets[bucket] ?? 0);
    }
  }

  #point(series: SeriesName): Point {
    const points = this.#open[0]?.points ?? new Map<SeriesName, Point>();
    let point = points.get(series);
    if (point === undefined) points.set(series, (point = emptyPoint()));
    return point;
  }

  /** Ends the steps that are over by `nowMs`. A clock that was set back writes on where it is: its chunks replace those of the same time. */
  #advance(nowMs: number): void {
    for (const open of this.#open) {
      const stepMs = stepStart(open.tier, nowMs);
      if (stepMs === open.stepMs) return;
      const ended = open.stepMs;
      const pieces = this.#endStep(open, stepMs);
      const startMs = chunkStart(open.tier, nowMs);
      if (startMs !== open.chunkMs) {
        this.#write(open);
        open.chunkMs = startMs;
      } else if (open === this.#open[0]) this.#keep(ended, pieces);
    }
  }

  /** Returns what was added to the chunk. */
  #endStep(open: Open, nextMs: number): readonly Omit<Chunk, 'startMs'>[] {
    const pieces: Omit<Chunk, 'startMs'>[] = [];
    const coarser = this.#open[this.#open.indexOf(open) + 1];
    const offset = Math.round((open.stepMs - open.chunkMs) / open.tier.stepMs);
    for (const [series, point] of open.points) {
      if (series !== ALL && saysNothing(point)) {
        open.points.delete(series);
        continue;
      }
      if (coarser !== undefined) {
        let sum = coarser.points.get(series);
        if (sum === undefined) coarser.points.set(series, (sum = emptyPoint()));
        addPoint(sum, point);
      }
      if (!this.#dropped.has(series)) {
        let writer = open.writers.get(series);
        if (writer === undefined) open.writers.set(series, (writer = new PointWriter()));
        pieces.push({ series, bytes: writer.add(offset, point) });
      }
      if (open === this.#open[0]) this.#requests.set(series, (this.#requests.get(series) ?? 0) + point.requests);
      clearPoint(point);
    }
    open.stepMs = nextMs;
    return pieces;
  }

  #keep(stepMs: number, pieces: readonly Omit<Chunk, 'startMs'>[]): void {
    this.#tried(() => this.#options.store.keep(stepMs, pieces));
  }

  #write(open: Open): void {
    const chunks: Omit<Chunk, 'startMs'>[] = [];
    for (const [series, writer] of open.writers) {
      if (writer.isEmpty) open.writers.delete(series);
      else chunks.push({ series, bytes: writer.bytes() });
    }
    if (chunks.length > 0) this.#put(open.tier, open.chunkMs, chunks);
    for (const writer of open.writers.values()) writer.clear();
    if (open === this.#open[0]) this.#choose();
  }

  #put(tier: Tier, startMs: number, chunks: readonly Omit<Chunk, 'startMs'>[]): void {
    this.#tried(() => this.#options.store.put(tier, startMs, chunks, this.#options.wallMs()));
  }

  #tried(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#options.onProblem(error instanceof Error ? error.message : String(error));
    }
  }

  /** Of more series than may be kept, those with the most requests in the last chunk. */
  #choose(): void {
    const most = this.#options.maxSeries();
    this.#dropped = new Set();
    if (this.#requests.size > most) {
      const ranked = [...this.#requests].sort(([one, ofOne], [other, ofOther]) => (one === ALL ? -1 : other === ALL ? 1 : ofOther - ofOne));
      this.#dropped = new Set(ranked.slice(most).map(([series]) => series));
      this.#options.onDropped(this.#dropped.size);
    }
    this.#requests = new Map();
  }

  /** Takes up the steps that were kept, and makes what of each tier was not written when the host ended from the tier before. */
  #restore(nowMs: number): void {
    const { store } = this.#options;
    const [finest] = this.#open;
    if (finest !== undefined)
      this.#place(finest, pointsOf(finest.tier, store.kept(), { fromMs: nowMs - finest.tier.keepMs, toMs: Infinity }));
    for (const [index, open] of this.#open.entries()) {
      const finer = this.#open[index - 1];
      if (finer === undefined) continue;
      const newest = store.newest(open.tier);
      const oldestMs = nowMs - finer.tier.keepMs;
      const fromMs = newest === null ? oldestMs : Math.max(oldestMs, newest + chunkMs(open.tier));
      this.#restoreTier(open, finer, { fromMs, toMs: nowMs });
    }
  }

  #restoreTier(open: Open, finer: Open, range: Range): void {
    const stored = this.#options.store.allChunks(finer.tier, { fromMs: chunkStart(finer.tier, range.fromMs), toMs: range.toMs });
    const waiting = [...finer.writers].map(([series, writer]) => ({ series, startMs: finer.chunkMs, bytes: writer.bytes() }));
    this.#place(open, pointsOf(finer.tier, chained(stored, waiting), range, open.tier));
  }

  /** The step that runs goes on, those of its chunk wait to be written, and chunks that are over are written. */
  #place(open: Open, sums: ReadonlyMap<SeriesName, ReadonlyMap<number, Point>>): void {
    const over = new Map<number, Map<SeriesName, PointWriter>>();
    for (const [series, points] of sums) {
      for (const [stepMs, point] of [...points].sort(([one], [other]) => one - other)) {
        if (stepMs === open.stepMs) {
          open.points.set(series, point);
          continue;
        }
        const startMs = chunkStart(open.tier, stepMs);
        const writers = startMs === open.chunkMs ? open.writers : (over.get(startMs) ?? new Map<SeriesName, PointWriter>());
        if (startMs !== open.chunkMs) over.set(startMs, writers);
        const writer = writers.get(series) ?? new PointWriter();
        writer.add(Math.round((stepMs - startMs) / open.tier.stepMs), point);
        writers.set(series, writer);
      }
    }
    for (const [startMs, writers] of over)
      this.#put(
        open.tier,
        startMs,
        [...writers].map(([series, writer]) => ({ series, bytes: writer.bytes() })),
      );
  }
}

function* chained<T>(...parts: readonly Iterable<T>[]): Generator<T, void> {
  for (const part of parts) yield* part;
}

/** The points of chunks by series and step, added up to the steps of `to`. */
function pointsOf(
  tier: Tier,
  chunks: Iterable<Chunk>,
  { fromMs, toMs }: Range,
  to = tier,
): ReadonlyMap<SeriesName, ReadonlyMap<number, Point>> {
  const sums = new Map<SeriesName, Map<number, Point>>();
  for (const { series, startMs, bytes } of chunks)
    readPoints(bytes, (offset, point) => {
      const atMs = startMs + offset * tier.stepMs;
      if (atMs < fromMs || atMs >= toMs) return;
      const ofSeries = sums.get(series) ?? new Map<number, Point>();
      const stepMs = stepStart(to, atMs);
      const sum = ofSeries.get(stepMs) ?? emptyPoint();
      addPoint(sum, point);
      sums.set(series, ofSeries.set(stepMs, sum));
    });
  return sums;
}

/** Every series a request counts in; an empty name is a place the request never came to. */
function namesOf(service: string, version: string, cluster: string): readonly SeriesName[] {
  const names: SeriesName[] = [ALL];
  if (service !== '') names.push(`service/${service}`);
  if (service !== '' && version !== '') names.push(`version/${service}/${version}`);
  if (cluster !== '') names.push(`cluster/${cluster}`);
  return names;
}

function healthCode(health: string): number {
  return Math.max(
    0,
    HEALTH_CODES.findIndex((one) => one === health),
  );
}
