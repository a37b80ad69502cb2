// Sessions as they come in with requests: opened once, remembered while they are good, sealed anew while they are used.
import type { Clock } from '../../../health/clock.ts';
import type { Fields } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import type { CookieJar, OwnCookies } from './own-cookies.ts';
import type { Seal } from './seal.ts';
import type { EndKeys, SessionEnds, SessionKeys } from './session-ends.ts';
import { packSession, unpackSession, type Session } from './session.ts';

const MAX_REMEMBERED = 5000;
/** In base64: 128 bits at the end of a sealed text, which no two have in common but by copying. */
const TAG_LENGTH = 22;
/** A session is sealed anew after this part of the time it may be idle: the cookie of most requests stays as it is. */
const RENEW_AFTER = 1 / 8;
const MS = 1000;

/** One object for one cookie, as long as it is remembered. */
export interface KnownSession {
  readonly session: Session;
  readonly identity: Identity;
  /** By which the end of it is known. */
  readonly keys: SessionKeys;
  /** As it came in. */
  readonly text: string;
  /** By the key that seals now. */
  readonly isFresh: boolean;
}

export interface SessionsOptions {
  readonly seal: Seal;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly lifetimeMs: number;
  readonly idleMs: number;
  readonly identityOf: (session: Session) => Identity;
  readonly ends: SessionEnds;
  readonly keys: EndKeys;
}

export class Sessions {
  readonly #options: SessionsOptions;
  /** By the tag of the sealed text; the whole of it is compared. */
  readonly #remembered = new Map<string, KnownSession>();
  #version = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Null: nobody with these keys has made it. */
  find(text: string): KnownSession | null | Promise<KnownSession | null> {
    const { version } = this.#options.seal;
    if (version !== this.#version) this.#remembered.clear();
    this.#version = version;
    const known = this.#remembered.get(text.slice(-TAG_LENGTH));
    return known?.text === text ? known : this.#open(text);
  }

  isOver({ session: { begunMs, usedMs }, keys }: KnownSession): boolean {
    const { clock, lifetimeMs, idleMs, ends } = this.#options;
    // A session by its name is over whatever the time; of a person those that had begun.
    if (ends.endedMs(keys.own) !== -Infinity || ends.endedMs(keys.person) >= begunMs) return true;
    const nowMs = clock.wallMs();
    return nowMs >= begunMs + lifetimeMs || nowMs >= usedMs + idleMs;
  }

  isOld({ session, isFresh }: KnownSession): boolean {
    const { clock, idleMs } = this.#options;
    return !isFresh || clock.wallMs() >= session.usedMs + idleMs * RENEW_AFTER;
  }

  /** Sealed as used now. A text: why it is not. */
  async write(session: Session, jar: CookieJar, before: OwnCookies): Promise<Fields | string> {
    const { seal, clock, lifetimeMs, idleMs } = this.#options;
    const nowMs = clock.wallMs();
    const text = await seal.seal(packSession({ ...session, usedMs: nowMs }));
    if (text === null) return 'there is no key to seal the session by';
    const seconds = Math.ceil(Math.min(idleMs, session.begunMs + lifetimeMs - nowMs) / MS);
    return jar.setSession(text, Math.max(1, seconds), before) ?? 'the tokens of the provider are too long for cookies';
  }

  async #open(text: string): Promise<KnownSession | null> {
    const opened = await this.#options.seal.open(text);
    const session = opened === null ? null : unpackSession(opened.value);
    if (opened === null || session === null) return null;
    const { identityOf, keys } = this.#options;
    const ended = keys.ofSession(session.sid, session.own);
    const known = { text, session, identity: identityOf(session), keys: ended, isFresh: opened.isFresh };
    this.#remembered.set(text.slice(-TAG_LENGTH), known);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return known;
  }
}
