// Secrets that callers sign with, read where they are kept, and again after a while.
import type { Clock } from '../../../health/clock.ts';
import type { SecretReference } from '../../config/config.ts';

/** A secret that was replaced is good for so long at most. */
const KEPT_MS = 5000;

interface Kept {
  readonly text: string | null;
  readonly untilMs: number;
}

export class SigningSecrets {
  readonly #read: (reference: SecretReference) => string | null;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #kept = new Map<SecretReference, Kept>();

  constructor(read: (reference: SecretReference) => string | null, clock: Pick<Clock, 'nowMs'>) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Null: it is not where the config says. */
  get(reference: SecretReference): string | null {
    const nowMs = this.#clock.nowMs();
    const kept = this.#kept.get(reference);
    if (kept !== undefined && kept.untilMs > nowMs) return kept.text;
    const text = this.#read(reference);
    this.#kept.set(reference, { text, untilMs: nowMs + KEPT_MS });
    return text;
  }
}
