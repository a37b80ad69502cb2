// What a host tells of its demand, and what it hears of that of all: it tells one and hears one, however many there are.
import { demandWithout, NO_DEMAND } from './demand.ts';
import { isTimeToTell } from './bytes-a-second.ts';
import type { FleetDigest, HostDemand, ToldDemand } from './presence.ts';

/** Demands of this host that may be the one that the leader added up last. */
const KEPT = 30;
/** Who was silent for so long may be forgotten, and with it what it told. */
const FORGOTTEN_MS = 3000;

export class DemandTelling {
  readonly #own: string;
  #beat = 0;
  /** By beat. */
  readonly #told = new Map<number, HostDemand>();
  #toldMs = -Infinity;
  #lookedMs = -Infinity;
  #characters = 0;
  #others: HostDemand = NO_DEMAND;
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

  /** What is told with an announcement now; null: what was told last still stands. */
  next(demand: () => HostDemand, hosts: number, nowMs: number): string | null {
    const isForgotten = nowMs - this.#lookedMs > FORGOTTEN_MS;
    this.#lookedMs = nowMs;
    if (!isForgotten && !isTimeToTell(nowMs - this.#toldMs, this.#characters, hosts)) return null;
    this.#toldMs = nowMs;
    this.#beat += 1;
    const told: ToldDemand = { beat: this.#beat, demand: demand() };
    this.#told.set(this.#beat, told.demand);
    this.#told.delete(this.#beat - KEPT);
    const text = JSON.stringify(told);
    this.#characters = text.length;
    return text;
  }

  /** The last announcement may not have come to where it should. */
  tellAgain(): void {
    this.#toldMs = -Infinity;
  }

  /** By the leader: what all others ask for, from what all do and what it told itself. */
  lead(others: HostDemand, made: Pick<FleetDigest, 'fence' | 'sequence'>): void {
    this.#others = others;
    this.#newest = made;
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
