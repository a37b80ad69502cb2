// The numbers of generations and plans: they only rise, also over restarts and kills, so that a worker can tell new from old.
import type { Store } from '../store/store.ts';

/** Numbers are reserved in blocks: the store is written once per block and not once per plan. A kill skips the rest of a block. */
const BLOCK = 1000;

export class RisingNumber {
  readonly #store: Pick<Store, 'getValue' | 'putValue'>;
  readonly #key: string;
  readonly #wallMs: () => number;
  #last: number;
  #reserved: number;

  constructor(store: Pick<Store, 'getValue' | 'putValue'>, key: string, wallMs: () => number) {
    this.#store = store;
    this.#key = key;
    this.#wallMs = wallMs;
    this.#last = storedNumber(store.getValue(key));
    this.#reserved = this.#last;
  }

  next(): number {
    this.#last += 1;
    if (this.#reserved - this.#last < BLOCK / 2 && !this.#reserve() && this.#last > this.#reserved) this.#goOnByTheClock();
    return this.#last;
  }

  /** False: the store takes nothing now, as on a full disk; the next number tries again. */
  #reserve(): boolean {
    const reserved = this.#last + BLOCK;
    try {
      this.#store.putValue(this.#key, String(reserved));
    } catch {
      return false;
    }
    this.#reserved = reserved;
    return true;
  }

  /** Milliseconds since 1970 are above all that was ever given, and the next process, which may find the store as it was, is above these with its own. */
  #goOnByTheClock(): void {
    this.#last = Math.max(this.#last, Math.floor(this.#wallMs()));
  }
}

/**
 * The number of a config: the same config keeps its number over a restart, so that workers have nothing to rebuild. A store that takes nothing stops no
 * config: a controller that starts then gives workers what it serves under the number that it knows, and they take what has another one than theirs.
 */
export class GenerationNumbers {
  readonly #store: Pick<Store, 'getValue' | 'putValue'>;
  #last: number;
  #fingerprint: string;

  constructor(store: Pick<Store, 'getValue' | 'putValue'>) {
    this.#store = store;
    const [number = '', fingerprint = ''] = (store.getValue(GENERATION) ?? '').split(' ');
    this.#last = storedNumber(number);
    this.#fingerprint = fingerprint;
  }

  /** `fingerprint`: of the whole config, host part included. */
  of(fingerprint: string): number {
    return this.#fingerprint === fingerprint ? this.#last : this.next(fingerprint);
  }

  /** A new number for a config that was served under another one before. */
  next(fingerprint: string): number {
    this.#last += 1;
    this.#fingerprint = fingerprint;
    try {
      this.#store.putValue(GENERATION, `${this.#last} ${fingerprint}`);
    } catch {
      // Those who need to know are told by what has to be stored.
    }
    return this.#last;
  }
}

const GENERATION = 'generation';

function storedNumber(text: string | null): number {
  const number = Number(text ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
