// What may be used once, decided for all workers of this host, and where there is a fleet by what all its hosts share; on disk before it is answered.
import type { Clock } from '../../health/clock.ts';
import type { OneTimeUse, UseOutcome } from '../filter/authenticate/one-time-use.ts';
import type { UsesDecidedMessage, UsesWantedMessage } from '../ipc-uses.ts';
import type { StoredUse } from '../store/one-time-uses.ts';
import type { Store } from '../store/store.ts';
import type { FleetUses } from './fleet/fleet-uses.ts';
import { KeptUses } from './kept-uses.ts';

/** That a clock of a host of the fleet may be behind, or one is set back: it is remembered so much longer than it is good. */
const CLOCKS_MS = 30_000;

export interface OneTimeUsesOptions {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly store: Pick<Store, 'oneTimeUses' | 'putOneTimeUses'>;
  /** Something that an operator should know. */
  readonly tell: (text: string) => void;
  readonly remembered: (count: number) => void;
  /** Null: the host is alone. */
  readonly fleet: Pick<FleetUses, 'start' | 'use'> | null;
  /** That are remembered at a time. */
  readonly most?: number;
}

export class OneTimeUses {
  readonly #options: OneTimeUsesOptions;
  /** Null: not read yet. */
  #kept: KeptUses | null = null;
  /** Of which the fleet is asked at this moment. */
  readonly #asked = new Map<string, Promise<UseOutcome>>();
  /** To be stored, and who hears when it is. */
  #unstored: StoredUse[] = [];
  #answers: (() => void)[] = [];
  #waits = false;
  #isFull = false;
  #fails = false;

  constructor(options: OneTimeUsesOptions) {
    this.#options = options;
  }

  /** `isNeeded`: something of the config may be used once. */
  follow(isNeeded: boolean): void {
    if (!isNeeded) return;
    this.#kept ??= this.#read();
    this.#options.fleet?.start();
  }

  hear({ number, uses }: UsesWantedMessage, answer: (message: UsesDecidedMessage) => void): void {
    void Promise.all(uses.map((use) => this.#decide(use))).then((outcomes) => {
      const said = (): void => answer({ type: 'uses_decided', number, outcomes });
      const { clock } = this.#options;
      const nowMs = clock.wallMs();
      const fresh = uses.filter((_, index) => outcomes[index] === 'first' || outcomes[index] === 'alone');
      if (fresh.length === 0) return said();
      this.#unstored.push(...fresh.map(({ key, untilMs }) => ({ key, untilMs: untilMs + CLOCKS_MS })).filter((use) => use.untilMs > nowMs));
      this.#answers.push(said);
      this.#soon();
    });
  }

  async #decide({ key, untilMs, mayBeAlone }: OneTimeUse): Promise<UseOutcome> {
    const { clock, fleet, remembered } = this.#options;
    const kept = (this.#kept ??= this.#read());
    const nowMs = clock.wallMs();
    if (kept.has(key, nowMs)) return (await this.#asked.get(key)) === 'away' ? 'away' : 'repeated';
    const hasRoom = kept.add(key, untilMs + CLOCKS_MS);
    this.#tellRoom(hasRoom, kept);
    if (!hasRoom) return 'full';
    remembered(kept.size);
    if (fleet === null) return 'first';
    const asked = fleet.use(key, untilMs + CLOCKS_MS - nowMs).then((said) => (said === 'away' && mayBeAlone ? 'alone' : said));
    this.#asked.set(key, asked);
    const outcome = await asked;
    this.#asked.delete(key);
    // It does not pass, so it is not used: who sends it again may get on, unless the fleet has heard of it all the same.
    if (outcome === 'away') kept.drop(key);
    return outcome;
  }

  #tellRoom(hasRoom: boolean, { isRoomy }: KeptUses): void {
    if (hasRoom ? !this.#isFull || !isRoomy : this.#isFull) return;
    this.#isFull = !hasRoom;
    this.#options.tell(
      hasRoom
        ? 'signatures that are good once are remembered again'
        : 'more signed requests than can be remembered are good once, and those that come now are refused; let routes have a shorter skew, or repeat: always',
    );
  }

  /** All that come in one turn, from whichever worker, are one write. */
  #soon(): void {
    if (this.#waits) return;
    this.#waits = true;
    setImmediate(() => this.#write());
  }

  #write(): void {
    this.#waits = false;
    const { clock, store, tell } = this.#options;
    try {
      store.putOneTimeUses(this.#unstored, clock.wallMs());
      this.#unstored = [];
      if (this.#fails) tell('that signatures were used can be stored again');
      this.#fails = false;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (!this.#fails) tell(`that signatures were used cannot be stored, and is forgotten when the controller ends: ${said}`);
      this.#fails = true;
      const nowMs = clock.wallMs();
      this.#unstored = this.#unstored.filter(({ untilMs }) => untilMs > nowMs);
    }
    const answers = this.#answers;
    this.#answers = [];
    for (const answer of answers) answer();
  }

  #read(): KeptUses {
    const { clock, store, most } = this.#options;
    const kept = new KeptUses(most);
    for (const { key, untilMs } of store.oneTimeUses(clock.wallMs())) kept.add(key, untilMs);
    return kept;
  }
}
