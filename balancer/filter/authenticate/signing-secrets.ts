// Keys that requests are signed with, read where they are kept, and again after a while.
import type { Clock } from '../../../health/clock.ts';
import type { SecretReference } from '../../config/config.ts';
import type { KnownSigner } from './consumers.ts';
import { publicKey, sharedKey, type VerifyingKey } from './verifying-key.ts';

/** A key that was replaced is good for so long at most. */
const KEPT_MS = 5000;

type Read = (reference: SecretReference) => string | null;

interface Kept {
  readonly text: string | null;
  readonly untilMs: number;
}

export class SigningSecrets {
  readonly #read: Read;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #kept = new Map<SecretReference, Kept>();

  constructor(read: Read, clock: Pick<Clock, 'nowMs'>) {
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

interface Made {
  readonly text: string;
  readonly key: VerifyingKey | string;
}

export class VerifyingKeys {
  readonly #texts: SigningSecrets;
  /** Made once of each text. */
  readonly #made = new WeakMap<KnownSigner, Made>();

  constructor(texts: SigningSecrets) {
    this.#texts = texts;
  }

  /** A text: why there is none. */
  of(known: KnownSigner): VerifyingKey | string {
    const text = this.#texts.get(known.key);
    if (text === null) return 'it is not there';
    const made = this.#made.get(known);
    if (made?.text === text) return made.key;
    const key = known.isPublic ? publicKey(text) : sharedKey(text);
    this.#made.set(known, { text, key });
    return key;
  }
}
