// Access tokens that end are replaced in time, once for all requests of a session that come meanwhile, to whichever worker of the host.
import { hash } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import type { HostFlights, Landing } from './host-flights.ts';
import type { Persons } from './persons.ts';
import type { Provider } from './provider.ts';
import type { Seal } from './seal.ts';
import { goOn, packSession, unpackSession, type Session } from './session.ts';

/** So long before its end a token is replaced: the cluster has time to use the one it gets. */
const EARLY_MS = 30_000;
/** Requests under way still bring the token that was replaced; many providers end a session when one is used twice. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 2000;

export type Refreshed =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'away'; readonly why: string };

export interface RefreshingOptions {
  readonly provider: Provider;
  readonly persons: Persons;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly flights: HostFlights;
  /** By which workers tell each other what came of it. */
  readonly seal: Seal;
  /** Refresh tokens of different ones have nothing to do with each other. */
  readonly scope: string;
  readonly count: (outcome: 'refreshed' | 'refresh_refused' | 'unavailable') => void;
}

interface Remembered {
  readonly result: Promise<Refreshed>;
  untilMs: number;
}

/** What is remembered holds no longer than the access token in it. */
const accessEndOf = (refreshed: Refreshed): number =>
  refreshed.kind === 'session' ? (refreshed.session.accessUntilMs ?? Infinity) : Infinity;

export class Refreshing {
  readonly #options: RefreshingOptions;
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: RefreshingOptions) {
    this.#options = options;
  }

  isDue({ refreshToken, accessUntilMs }: Session): boolean {
    return refreshToken !== '' && accessUntilMs !== null && this.#options.clock.wallMs() >= accessUntilMs - EARLY_MS;
  }

  refresh(session: Session): Promise<Refreshed> {
    const { clock } = this.#options;
    const digest = hash('sha256', session.refreshToken, 'base64');
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.untilMs > clock.wallMs()) return known.result;
    const result = this.#onceForHost(session).then((refreshed) => {
      // Who was not answered may ask again.
      if (refreshed.kind === 'away') this.#remembered.delete(digest);
      else entry.untilMs = Math.min(clock.wallMs() + REMEMBERED_MS, accessEndOf(refreshed));
      return refreshed;
    });
    const entry: Remembered = { result, untilMs: Infinity };
    this.#remembered.delete(digest);
    this.#remembered.set(digest, entry);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return result;
  }

  /** A provider that gives another refresh token each time takes a second use of the first for theft, and ends the session. */
  async #onceForHost(session: Session): Promise<Refreshed> {
    const { flights, seal, scope } = this.#options;
    const key = hash('sha256', JSON.stringify([scope, session.refreshToken]), 'base64');
    const own: Refreshed[] = [];
    const text = await flights.fly(key, async () => {
      const refreshed = await this.#refresh(session);
      own.push(refreshed);
      return this.#landing(refreshed);
    });
    const [flown] = own;
    if (flown !== undefined) return flown;
    const opened = text === '' ? null : await seal.open(text);
    return unpackRefreshed(opened?.value) ?? { kind: 'away', why: 'another worker has asked, and nothing came of it' };
  }

  async #landing(refreshed: Refreshed): Promise<Landing> {
    const { clock, seal } = this.#options;
    const text = (await seal.seal(packRefreshed(refreshed))) ?? '';
    const untilMs = accessEndOf(refreshed);
    return { text, keepMs: refreshed.kind === 'away' ? 0 : Math.max(0, Math.min(REMEMBERED_MS, untilMs - clock.wallMs())) };
  }

  async #refresh(session: Session): Promise<Refreshed> {
    const { count } = this.#options;
    const refreshed = await this.#ask(session);
    count(refreshed.kind === 'session' ? 'refreshed' : refreshed.kind === 'refused' ? 'refresh_refused' : 'unavailable');
    return refreshed;
  }

  async #ask(session: Session): Promise<Refreshed> {
    const { provider, persons, clock } = this.#options;
    const endpoints = await provider.endpoints();
    if (typeof endpoints === 'string') return { kind: 'away', why: endpoints };
    const given = await provider.tokens(endpoints, { grant_type: 'refresh_token', refresh_token: session.refreshToken });
    if (given.kind !== 'tokens') return given;
    const { tokens } = given;
    if (tokens.accessToken === '') return { kind: 'refused', why: 'the provider gives no access token' };
    const person = await persons.of(endpoints, tokens, { nonce: null, before: session.own });
    if ('kind' in person) return person;
    return { kind: 'session', session: goOn(session, tokens, person, clock.wallMs()) };
  }
}

const packRefreshed = (refreshed: Refreshed): object =>
  refreshed.kind === 'session' ? { kind: 'session', session: packSession(refreshed.session) } : refreshed;

/** Null: it is none. */
function unpackRefreshed(value: unknown): Refreshed | null {
  const { kind, session: packed, why } = { ...Object(value) } as Readonly<Record<string, unknown>>;
  if ((kind === 'refused' || kind === 'away') && typeof why === 'string') return { kind, why };
  const session = kind === 'session' ? unpackSession(packed) : null;
  return session === null ? null : { kind: 'session', session };
}
