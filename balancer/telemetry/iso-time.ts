// Times of day as ISO 8601 writes them, for lines that come by the thousand in a second: what is the same in a second is written once.

let second = Number.NaN;
let prefix = '';

/** As `new Date(wallMs).toISOString()`; `wallMs` is whole. */
export function isoTime(wallMs: number): string {
  const ms = wallMs % 1000;
  if (wallMs - ms !== second) {
    second = wallMs - ms;
    prefix = new Date(second).toISOString().slice(0, 20);
  }
  return ms < 10 ? `${prefix}00${ms}Z` : ms < 100 ? `${prefix}0${ms}Z` : `${prefix}${ms}Z`;
}
