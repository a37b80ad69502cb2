// A ledger at the end of a network that takes its time and loses things, with a count of what goes over it: questions, and bytes as Redis sees them.
import { pause, type Clock, type Random } from '../../health/clock.ts';
import { LedgerAwayError, type Ledger } from '../../balancer/store/ledger.ts';

export interface Traffic {
  operations: number;
  /** To the ledger, and from it. */
  bytesIn: number;
  bytesOut: number;
}

export interface Network {
  readonly clock: Clock;
  readonly random: Random;
  /** One way, in milliseconds. */
  readonly delayMs: () => number;
  /** 0 to 1: of questions and of answers. */
  readonly lost: number;
  /** Nothing gets through. */
  cut: boolean;
  readonly traffic: Traffic;
}

/** A client gives up after this, as that of Redis does. */
const TIMEOUT_MS = 1000;
/** Signature (43), EVALSHA with hash, number and names of keys, and the lengths that RESP writes before each text. */
const ENVELOPE = 43 + 250;

/** Of what an operation is called with, and of what it answers: texts as they are, anything else as JSON. */
function bytesOf(values: readonly unknown[]): number {
  return ENVELOPE + values.reduce<number>((sum, value) => sum + JSON.stringify(value ?? null).length, 0);
}

export function meteredLedger(ledger: Ledger, network: Network): Ledger {
  const { clock, random, traffic } = network;
  const through = async <T>(args: readonly unknown[], ask: () => Promise<T>): Promise<T> => {
    traffic.operations += 1;
    traffic.bytesIn += bytesOf(args);
    if (network.cut || random() < network.lost) {
      await pause(clock, TIMEOUT_MS);
      throw new LedgerAwayError('the question was lost', false);
    }
    await pause(clock, network.delayMs());
    const answer = await ask();
    traffic.bytesOut += bytesOf([answer]);
    if (random() < network.lost) {
      await pause(clock, TIMEOUT_MS);
      throw new LedgerAwayError('the answer was lost', true);
    }
    await pause(clock, network.delayMs());
    return answer;
  };
  return {
    head: () => through([], () => ledger.head()),
    append: (change) => through([change], () => ledger.append(change)),
    replace: (replacement) => through([replacement], () => ledger.replace(replacement)),
    entriesAfter: (after, limit) => through([after, limit], () => ledger.entriesAfter(after, limit)),
    snapshot: () => through([], () => ledger.snapshot()),
    configText: (fingerprint) => through([fingerprint], () => ledger.configText(fingerprint)),
    announce: (host, ttlMs, known) => through([host.text, host.counts, host.demand, host.id], () => ledger.announce(host, ttlMs, known)),
    withdraw: (host) => through([host], () => ledger.withdraw(host)),
    hosts: () => through([], () => ledger.hosts()),
    hostsBehind: (revision) => through([revision], () => ledger.hostsBehind(revision)),
    counts: () => through([], () => ledger.counts()),
    demandsAfter: (number, limit) => through([number, limit], () => ledger.demandsAfter(number, limit)),
    publishDigest: (lease, text) => through([text], () => ledger.publishDigest(lease, text)),
    takeLease: (name, holder, ttlMs) => through([name, holder], () => ledger.takeLease(name, holder, ttlMs)),
    renewLease: (lease, ttlMs) => through([lease], () => ledger.renewLease(lease, ttlMs)),
    releaseLease: (lease) => through([lease], () => ledger.releaseLease(lease)),
    watch: (onHint) =>
      ledger.watch(() => {
        if (network.cut || random() < network.lost) return;
        clock.after(network.delayMs(), onHint);
      }),
    close: () => Promise.resolve(),
  };
}
