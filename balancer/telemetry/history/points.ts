// Points of the history: what was counted in one step, how points are added up, and how they are written into few bytes. Pure.
import { BUCKETS } from '../latency-buckets.ts';

/** The worst of these that was seen in a step; 0: none was. In the order of how bad they are. */
export const HEALTH_CODES = ['', 'up', 'unknown', 'degraded', 'down'] as const;
/** A share that nobody knows. */
export const NO_SHARE = -1;

/** Of one series in one step. */
export interface Point {
  requests: number;
  /** 5xx. */
  errors: number;
  /** Millionths of the service, as they were last; NO_SHARE where there is none. */
  desired: number;
  effective: number;
  /** Index in HEALTH_CODES. */
  health: number;
  readonly buckets: Float64Array;
}

export function emptyPoint(): Point {
  return { requests: 0, errors: 0, desired: NO_SHARE, effective: NO_SHARE, health: 0, buckets: new Float64Array(BUCKETS) };
}

export function clearPoint(point: Point): void {
  point.requests = 0;
  point.errors = 0;
  point.desired = NO_SHARE;
  point.effective = NO_SHARE;
  point.health = 0;
  point.buckets.fill(0);
}

/** `later` is of a later time: what is not counted is as it is there. */
export function addPoint(to: Point, later: Point): void {
  to.requests += later.requests;
  to.errors += later.errors;
  if (later.desired !== NO_SHARE) to.desired = later.desired;
  if (later.effective !== NO_SHARE) to.effective = later.effective;
  to.health = Math.max(to.health, later.health);
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) to.buckets[bucket] = (to.buckets[bucket] ?? 0) + (later.buckets[bucket] ?? 0);
}

/** Whether anything is said by it. */
export function saysNothing({ requests, health, desired }: Point): boolean {
  return requests === 0 && health === 0 && desired <= 0;
}

/** Points in a row, each behind the number of steps from the beginning: variable-length numbers, 7 bits a byte. */
export class PointWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Returns the bytes that it took, valid until the writer is cleared. */
  add(offset: number, point: Point): Uint8Array {
    // A number takes 8 bytes at most.
    this.#reserve(8 * (7 + 2 * BUCKETS));
    const from = this.#length;
    this.#number(offset);
    this.#number(point.requests);
    this.#number(point.errors);
    this.#number(point.health);
    this.#number(point.desired + 1);
    this.#number(point.effective + 1);
    let used = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) if ((point.buckets[bucket] ?? 0) > 0) used += 1;
    this.#number(used);
    let last = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = point.buckets[bucket] ?? 0;
      if (count <= 0) continue;
      this.#number(bucket - last);
      this.#number(count);
      last = bucket;
    }
    return this.#bytes.subarray(from, this.#length);
  }

  /** Valid until the next point comes. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.bytes());
    this.#bytes = larger;
  }

  #number(value: number): void {
    let left = Math.max(0, Math.round(value));
    while (left > 127) {
      this.#bytes[this.#length++] = (left % 128) | 128;
      left = Math.floor(left / 128);
    }
    this.#bytes[this.#length++] = left;
  }
}

/** Calls `each` with the points in `bytes`; the point is valid during the call. Bytes that were damaged end it. */
export function readPoints(bytes: Uint8Array, each: (offset: number, point: Point) => void): void {
  const point = emptyPoint();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || factor > 2 ** 49) throw new RangeError('the bytes of a point end early');
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  try {
    while (at < bytes.length) {
      clearPoint(point);
      const offset = next();
      point.requests = next();
      point.errors = next();
      point.health = Math.min(next(), HEALTH_CODES.length - 1);
      point.desired = next() - 1;
      point.effective = next() - 1;
      const used = next();
      for (let index = 0, bucket = 0; index < used; index += 1) {
        bucket += next();
        const count = next();
        if (bucket < BUCKETS) point.buckets[bucket] = count;
      }
      each(offset, point);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
