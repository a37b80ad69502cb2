// Sessions that a provider has ended: what every worker of every host has to know of them, and how one tells the others.
import { hash } from 'node:crypto';
import type { Claims } from '../authenticate/issuer.ts';

/** What is ended, by a hash from which nobody learns whose it is. */
export interface EndMark {
  readonly key: string;
  /** When nothing is left that it could end, in milliseconds since 1970. */
  readonly untilMs: number;
}

export interface SessionEnd {
  readonly marks: readonly EndMark[];
  /** Key of the mark by which a second telling of the same is known. */
  readonly once: string;
}

/** `repeated`: it was told before. `away`: nobody could keep it, so it has to be told again. */
export type EndOutcome = 'ended' | 'repeated' | 'away';

export interface SessionEnds {
  /** When it was ended, in milliseconds since 1970; -Infinity: it was not. */
  endedMs(key: string): number;
  /** Resolves when the host has it on disk. */
  end(end: SessionEnd): Promise<EndOutcome>;
}

/** 128 bits of a SHA-256. */
const KEY_LENGTH = 22;

/** Names of what can be ended at one provider for one client. */
export class EndKeys {
  readonly #scope: string;

  constructor(issuer: string, client: string) {
    this.#scope = JSON.stringify([issuer, client]);
  }

  /** Of a session: by which ends of it are known. `sid` empty: the provider has named none. */
  ofSession(sid: string, { sub = '' }: Claims): SessionKeys {
    return { own: sid === '' ? this.#key('unnamed', sub) : this.#key('sid', sid), person: this.#key('sub', sub) };
  }

  /** Of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.7): the one session that it names, else all of the person. */
  ofLogout(sid: string, sub: string): readonly string[] {
    if (sid === '') return [this.#key('sub', sub)];
    // Sessions without a name cannot be told apart, and one of them may be the one that is meant.
    return sub === '' ? [this.#key('sid', sid)] : [this.#key('sid', sid), this.#key('unnamed', sub)];
  }

  ofToken(jti: string): string {
    return this.#key('jti', jti);
  }

  #key(kind: 'sid' | 'sub' | 'unnamed' | 'jti', value: string): string {
    return hash('sha256', `${this.#scope}\n${kind}\n${value}`, 'base64url').slice(0, KEY_LENGTH);
  }
}

export interface SessionKeys {
  readonly own: string;
  /** Of all sessions of the person. */
  readonly person: string;
}
