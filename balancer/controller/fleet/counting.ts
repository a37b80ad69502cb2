// What hosts have counted, added up by the leader for all: a host tells one and hears one, however many there are.
import type { HostText, Lease } from '../../store/ledger.ts';
import { demandWithout, NO_DEMAND, sumOfDemands } from './demand.ts';
import { decodeCounts, type FleetDigest, type HostCounts, type HostDemand } from './presence.ts';

/** Announcements of this host that the leader may have added up last. */
const KEPT = 30;

/** What one host has told. */
export interface Counted {
  readonly id: string;
  readonly counts: HostCounts;
}

/** What cannot be read is left out. */
export function countedBy(texts: readonly HostText[]): readonly Counted[] {
  return texts.flatMap(({ id, text }) => {
    const counts = decodeCounts(text);
    return counts === null ? [] : [{ id, counts }];
  });
}

export class Counting {
  readonly #own: string;
  #beat = 0;
  /** By beat. */
  readonly #told = new Map<number, HostDemand>();
  #others: HostDemand = NO_DEMAND;
  #sequence = 0;
  /** The newest one that was taken over: an older one, put there by whoever can write, says nothing. */
  #newest: Pick<FleetDigest, 'fence' | 'sequence'> = { fence: 0, sequence: 0 };

  /** `own`: the id of this host. */
  constructor(own: string) {
    this.#own = own;
  }

  /** What the clients of all others together ask for. */
  get others(): HostDemand {
    return this.#others;
  }

  /** What is told now. */
  next(demand: HostDemand, outcomes: HostCounts['outcomes']): HostCounts {
    this.#beat += 1;
    this.#told.set(this.#beat, demand);
    this.#told.delete(this.#beat - KEPT);
    return { beat: this.#beat, demand, ...(outcomes === undefined ? {} : { outcomes }) };
  }

  /** By the leader: of all that live, for all. */
  addUp(all: readonly Counted[], names: (id: string) => string, { fence }: Pick<Lease, 'fence'>): Omit<FleetDigest, 'away'> {
    this.#others = sumOfDemands(all.flatMap(({ id, counts: { demand } }) => (id === this.#own ? [] : [demand])));
    this.#sequence += 1;
    this.#newest = { fence, sequence: this.#sequence };
    return {
      ...this.#newest,
      demand: sumOfDemands(all.map(({ counts: { demand } }) => demand)),
      hosts: Object.fromEntries(all.map(({ id, counts: { beat } }) => [id, { name: names(id), beat }])),
    };
  }

  /** By the others. False: it is older than what is known. */
  take({ fence, sequence, demand, hosts }: FleetDigest): boolean {
    if (fence < this.#newest.fence || (fence === this.#newest.fence && sequence <= this.#newest.sequence)) return false;
    this.#newest = { fence, sequence };
    const beat = hosts[this.#own]?.beat;
    // Without it, or of a controller before, this host is not in the sum as it knows itself: rather too much than too little.
    const own = beat === undefined ? undefined : this.#told.get(beat);
    this.#others = own === undefined ? demand : demandWithout(demand, own);
    return true;
  }
}
