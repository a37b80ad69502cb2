// Request ids: a random prefix per process and a counter, so that one costs no system call and none repeats.
import { randomBytes } from 'node:crypto';

/** Ids a trusted peer may bring: enough to correlate, too little to inject anything into a log. */
const ACCEPTABLE = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

export function isAcceptableRequestId(id: string): boolean {
  return ACCEPTABLE.test(id);
}

/** 24 hexadecimal digits of prefix, then the count in base 36. */
export function createRequestIds(prefix = randomBytes(12).toString('hex')): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
