// A ledger behind a network that loses questions before they arrive, and answers after they were done.
import type { Random } from '../../health/clock.ts';
import { LedgerAwayError, type Ledger } from '../../balancer/store/ledger.ts';

export interface Faults {
  /** Nothing gets through. */
  cut: boolean;
  /** 0 to 1: of questions, and of answers. */
  lost: number;
  /** Questions that get through before it is cut off; absent: any number. */
  left?: number;
}

/** The ledger as one host reaches it. */
export function faultyLedger(ledger: Ledger, faults: Faults, random: Random): Ledger {
  const through = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (faults.left !== undefined && (faults.left -= 1) < 0) faults.cut = true;
    if (faults.cut || random() < faults.lost) throw new LedgerAwayError('the question was lost', false);
    const answer = await ask();
    if (random() < faults.lost) throw new LedgerAwayError('the answer was lost', true);
    return answer;
  };
  return {
    head: () => through(() => ledger.head()),
    append: (change) => through(() => ledger.append(change)),
    replace: (replacement) => through(() => ledger.replace(replacement)),
    entriesAfter: (after, limit) => through(() => ledger.entriesAfter(after, limit)),
    snapshot: () => through(() => ledger.snapshot()),
    configText: (fingerprint) => through(() => ledger.configText(fingerprint)),
    announce: (host, ttlMs, known) => through(() => ledger.announce(host, ttlMs, known)),
    withdraw: (host) => through(() => ledger.withdraw(host)),
    hosts: () => through(() => ledger.hosts()),
    hostsBehind: (revision) => through(() => ledger.hostsBehind(revision)),
    counts: () => through(() => ledger.counts()),
    demandsAfter: (number, limit) => through(() => ledger.demandsAfter(number, limit)),
    publishDigest: (lease, text) => through(() => ledger.publishDigest(lease, text)),
    takeLease: (name, holder, ttlMs) => through(() => ledger.takeLease(name, holder, ttlMs)),
    renewLease: (lease, ttlMs) => through(() => ledger.renewLease(lease, ttlMs)),
    releaseLease: (lease) => through(() => ledger.releaseLease(lease)),
    watch: () => () => undefined,
    close: () => Promise.resolve(),
  };
}
