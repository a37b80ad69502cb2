// How often something is told when all of a fleet tell it, or hear it: each second as long as that is little, and seldom enough where it is much.

/** Of one kind, over the ledger, of all hosts together: a tenth of what a network of 1 Gbit/s takes, and little work for one Redis. */
const BYTES_PER_SECOND = 8_000_000;
const LEAST_MS = 1000;
/** A beat comes a little early or late. */
const EARLY_MS = 300;

/** Whether it is time to tell again, so long after the last time, for a text of so many characters to or from so many hosts. */
export function isTimeToTell(passedMs: number, characters: number, hosts: number): boolean {
  return passedMs >= Math.max(LEAST_MS, ((characters * hosts) / BYTES_PER_SECOND) * 1000) - EARLY_MS;
}
