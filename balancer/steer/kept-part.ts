// The part of its share that a place in trouble keeps: taken at once, given back slowly, never all of it. Pure.

/** What it keeps at least, so that there are requests to see it recover by. */
export const KEPT_FLOOR = 0.1;
/** Figures are of some seconds: those from before a cluster was back are out of them after so long. */
const NEWS_MS = 10_000;
/** From the floor to all of its share takes about this long. */
const RECOVERY_MS = 60_000;

/** Down at once, up slowly. */
export function keptNext(before: number, to: number, elapsedMs: number): number {
  return to <= before ? to : Math.min(to, before + ((1 - KEPT_FLOOR) * elapsedMs) / RECOVERY_MS);
}

/** What a cluster answered while it was out, and just after, is no news. */
export function tellsNews(failback: { readonly state: string; readonly returnedAtMs: number } | undefined, nowMs: number): boolean {
  return failback?.state === 'in' && nowMs - failback.returnedAtMs >= NEWS_MS;
}
