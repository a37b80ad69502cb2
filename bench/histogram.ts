// Latencies in buckets whose width grows with the value, so that a percentile is exact to within 1 part in 64.

/** Buckets per doubling of the value. */
const PER_DOUBLING = 64;
/** Values up to 2^36 µs, about 19 hours. */
const DOUBLINGS = 36;

/** Values below PER_DOUBLING have a bucket each; above, every doubling is cut into PER_DOUBLING equal buckets. */
function bucketOf(microseconds: number): number {
  const value = Math.max(0, Math.floor(microseconds));
  if (value < PER_DOUBLING) return value;
  const shift = Math.floor(Math.log2(value)) - Math.log2(PER_DOUBLING);
  return (shift + 1) * PER_DOUBLING + Math.floor(value / 2 ** shift) - PER_DOUBLING;
}

/** The highest whole value of a bucket. */
function topOf(bucket: number): number {
  if (bucket < PER_DOUBLING) return bucket;
  const shift = Math.floor(bucket / PER_DOUBLING) - 1;
  return ((bucket % PER_DOUBLING) + PER_DOUBLING + 1) * 2 ** shift - 1;
}

export class Histogram {
  readonly #counts = new Float64Array(PER_DOUBLING * DOUBLINGS);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  record(microseconds: number): void {
    const bucket = Math.min(bucketOf(microseconds), this.#counts.length - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** The smallest bucket top that at least `fraction` of the values do not exceed, in microseconds; null without values. */
  percentile(fraction: number): number | null {
    if (this.#total === 0) return null;
    const wanted = Math.max(1, Math.ceil(fraction * this.#total));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return topOf(bucket);
    }
    return topOf(this.#counts.length - 1);
  }
}
