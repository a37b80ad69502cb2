// Access tokens that end are replaced in time, once for all requests of a session that come meanwhile.
import { hash } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import type { Persons } from './persons.ts';
import type { Provider } from './provider.ts';
import { goOn, type Session } from './session.ts';

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
    const result = this.#refresh(session).then((refreshed) => {
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
