// What may be used once, wherever it is shown: which of several that show the same is the first, as the host or its fleet decides it.
import { hash } from 'node:crypto';

export interface OneTimeUse {
  /** A hash: nothing can be read from it. */
  readonly key: string;
  /** Until when it would be good, in milliseconds since 1970. */
  readonly untilMs: number;
  /** While nobody can be asked who knows of all uses, those decide that know of some: this host without the fleet, this worker without the host. */
  readonly mayBeAlone: boolean;
}

/**
 * `first`: it was not used before. `alone`: not by what is known here, and nobody who knows more could be asked. `repeated`: it was. `full`: there is no room to
 * remember one more. `away`: nobody could be asked, and whether it counts as used is not known.
 */
export type UseOutcome = 'first' | 'alone' | 'repeated' | 'full' | 'away';

export interface OneTimeUses {
  /** Decides, and remembers it. */
  use(use: OneTimeUse): UseOutcome | Promise<UseOutcome>;
}

/** 128 bits of a SHA-256: nobody finds two that are the same. */
const KEY_LENGTH = 22;

/** `kind`: of what it is that is used; the same text of another kind is something else. */
export const useKey = (kind: string, text: string): string => hash('sha256', `${kind}\n${text}`, 'base64url').slice(0, KEY_LENGTH);
