// What the clients of all hosts ask for, added up by the leader as each host tells it.
import type { Lease, Ledger } from '../../store/ledger.ts';
import { isTimeToTell } from './bytes-a-second.ts';
import { demandWithout, sumOfDemands, toldSum } from './demand.ts';
import { decodeDemand, type FleetDigest, type HostDemand, type ToldDemand } from './presence.ts';

/** Asked for at a time: some megabytes where there are thousands of services. */
const PAGE = 16;

export class DemandSum {
  readonly #own: string;
  readonly #told = new Map<string, ToldDemand>();
  /** Up to this number of the ledger, all is heard. */
  #number = 0;
  /** Of the lease that all this was heard with: who leads anew has missed what was told meanwhile. */
  #fence = 0;
  #sequence = 0;
  #publishedMs = -Infinity;
  #characters = 0;
  /** Ids of the hosts that were told last, and of those that are to be. */
  #live = '';
  #nextLive = '';

  /** `own`: the id of this host. */
  constructor(own: string) {
    this.#own = own;
  }

  /** What was told since the last time. `live`: ids of all hosts that live. */
  async hear(ledger: Pick<Ledger, 'demandsAfter'>, { fence }: Pick<Lease, 'fence'>, live: ReadonlySet<string>): Promise<void> {
    if (fence !== this.#fence) {
      this.#told.clear();
      this.#number = 0;
      this.#publishedMs = -Infinity;
      this.#fence = fence;
    }
    // So many are all that there were when this began: hundreds of hosts that do not know each other yet tell sooner than pages can be read.
    for (let [read, more] = [0, true]; more && read < live.size;) {
      const page = await ledger.demandsAfter(this.#number, PAGE);
      read += page.length;
      for (const { id, number, text } of page) {
        this.#number = number;
        const told = decodeDemand(text);
        if (told !== null) this.#told.set(id, told);
      }
      more = page.length === PAGE;
    }
    for (const id of this.#told.keys()) if (!live.has(id)) this.#told.delete(id);
  }

  /** What is to be told to all now; null: not yet. `names`: of all hosts that live, by id. */
  next(names: ReadonlyMap<string, string>, nowMs: number): Omit<FleetDigest, 'away'> | null {
    const live = [...names.keys()].sort().join(' ');
    const isDue = isTimeToTell(nowMs - this.#publishedMs, this.#characters, names.size);
    if (!isDue && live === this.#live) return null;
    this.#nextLive = live;
    this.#sequence += 1;
    return {
      fence: this.#fence,
      sequence: this.#sequence,
      demand: toldSum(sumOfDemands([...this.#told.values()].map(({ demand }) => demand))),
      hosts: Object.fromEntries([...names].map(([id, name]) => [id, { name, beat: this.#told.get(id)?.beat ?? 0 }])),
    };
  }

  /** What was made last is told, in a text of so many characters. */
  published(characters: number, nowMs: number): void {
    this.#characters = characters;
    this.#publishedMs = nowMs;
    this.#live = this.#nextLive;
  }

  /** Without what this host has told itself. */
  others({ demand }: Pick<FleetDigest, 'demand'>): HostDemand {
    const own = this.#told.get(this.#own);
    return own === undefined ? demand : demandWithout(demand, own.demand);
  }
}
