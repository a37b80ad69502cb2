// A map that forgets all when it is full: for what can be worked out again.

export class BoundedMap<K, V> {
  readonly #most: number;
  readonly #entries = new Map<K, V>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): void {
    if (this.#entries.size >= this.#most) this.#entries.clear();
    this.#entries.set(key, value);
  }
}
