// Figures as short text of a known greatest width. None says "all" or "nothing" unless it is exactly so.

/** Requests per second, at most 5 characters. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return '<0.1';
  if (perSecond < 9.95) return perSecond.toFixed(1);
  if (perSecond < 99_999.5) return perSecond.toFixed(0);
  if (perSecond < 999_500) return `${(perSecond / 1000).toFixed(0)}k`;
  if (perSecond < 9_950_000) return `${(perSecond / 1_000_000).toFixed(1)}M`;
  return `${Math.min(9999, perSecond / 1_000_000).toFixed(0)}M`;
}

/** A share 0 to 1 as percent, at most 4 characters. */
export function formatShare(share: number): string {
  if (share >= 1) return '100';
  if (share > 0 && share < 0.0005) return '<0.1';
  return Math.min(99.9, share * 100).toFixed(1);
}

/** A ratio of errors 0 to 1 as percent, at most 4 characters. */
export function formatErrorRatio(ratio: number): string {
  if (ratio >= 1) return '100';
  if (ratio > 0 && ratio < 0.00005) return '<.01';
  if (ratio < 0.09995) return (ratio * 100).toFixed(2);
  return Math.min(99.9, ratio * 100).toFixed(1);
}

/** What is not an error, as percent; rounded down, so that 100 means every request. */
export function formatOkRatio(errorRatio: number): string {
  if (errorRatio <= 0) return '100%';
  // The small term keeps 99.97 from being cut to 99.96 by binary fractions.
  return `${Math.min(99.99, Math.floor((1 - errorRatio) * 10_000 + 1e-6) / 100).toFixed(2)}%`;
}

/** A latency, at most 5 characters; null: no request. */
export function formatLatency(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 9.95) return `${ms.toFixed(1)}ms`;
  if (ms < 999.5) return `${ms.toFixed(0)}ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)}s`;
  return `${Math.min(9999, ms / 1000).toFixed(0)}s`;
}

/** An age or a span, at most 4 characters. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.min(999, Math.floor(seconds / 86_400))}d`;
}

/** `12:04:31` of milliseconds since 1970 UTC; dashes for no time at all. */
export function formatTimeOfDay(wallMs: number): string {
  return Number.isFinite(wallMs) ? new Date(wallMs).toISOString().slice(11, 19) : '--:--:--';
}
