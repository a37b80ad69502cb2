// Hysteresis of active checks: several results in a row move the state, a single one only makes it doubtful.

export interface RiseFallSettings {
  /** Good checks in a row that bring it up. */
  readonly rise: number;
  /** Bad checks in a row that take it down. */
  readonly fall: number;
}

export type CheckedState = 'unknown' | 'up' | 'down';

/** The first check decides from `unknown`; after that `rise` good or `fall` bad ones in a row do. */
export class RiseFall {
  readonly #settings: RiseFallSettings;
  #state: CheckedState;
  /** Results in a row that speak against the state. */
  #against = 0;

  constructor(settings: RiseFallSettings, initial: CheckedState = 'unknown') {
    this.#settings = settings;
    this.#state = initial;
  }

  get state(): CheckedState {
    return this.#state;
  }

  /** The last result spoke against the state: the next ones are worth having soon. */
  get doubtful(): boolean {
    return this.#against > 0;
  }

  /** Takes a result in; true when the state moved. */
  observe(ok: boolean): boolean {
    const towards: CheckedState = ok ? 'up' : 'down';
    if (this.#state === towards) {
      this.#against = 0;
      return false;
    }
    this.#against += 1;
    const needed = this.#state === 'unknown' ? 1 : ok ? this.#settings.rise : this.#settings.fall;
    if (this.#against < needed) return false;
    this.#state = towards;
    this.#against = 0;
    return true;
  }

  /** Evidence from elsewhere took it down: only `rise` good checks from now on bring it back. */
  takeDown(): void {
    this.#state = 'down';
    this.#against = 0;
  }
}
