// The provider tells, from server to server, that a session is over (OpenID Connect Back-Channel Logout 1.0): all workers of all hosts hear of it.
import type { Clock } from '../../../health/clock.ts';
import { fieldValue } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { LocalReply } from '../../message/response.ts';
import type { BodyWanted, Refusal } from '../filter.ts';
import type { LogoutTokens } from './logout-tokens.ts';
import type { EndKeys, SessionEnds } from './session-ends.ts';

/** Of the form; a token is at most half as long. */
const MOST_BYTES = 32_768;
const RETRY_AFTER_S = '5';

export interface BackChannelOptions {
  readonly tokens: LogoutTokens;
  readonly ends: SessionEnds;
  readonly keys: EndKeys;
  /** The longest that a session lasts: no end has to be remembered for longer. */
  readonly lifetimeMs: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly count: (outcome: 'ended_by_provider' | 'logout_refused' | 'logout_repeated' | 'unavailable') => void;
}

export class BackChannel {
  readonly #options: BackChannelOptions;

  constructor(options: BackChannelOptions) {
    this.#options = options;
  }

  answer({ fields }: CanonicalRequest): BodyWanted | Refusal {
    const type = fieldValue(fields, 'content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/x-www-form-urlencoded') return this.#refused('it is no form');
    return { mostBytes: MOST_BYTES, answer: (body) => this.#answer(body.toString('utf8')) };
  }

  async #answer(form: string): Promise<LocalReply | Refusal> {
    const { tokens, ends, keys, lifetimeMs, clock, count } = this.#options;
    const told = new URLSearchParams(form).getAll('logout_token');
    const [token = ''] = told;
    if (told.length !== 1) return this.#refused('it has no logout token, or more than one');
    const logout = await tokens.check(token);
    if (logout === null) return this.#unavailable('the keys of the provider were never fetched');
    if (typeof logout === 'string') return this.#refused(logout);
    const { sid, sub, jti, untilMs } = logout;
    const marks = keys.ofLogout(sid, sub).map((key) => ({ key, untilMs: clock.wallMs() + lifetimeMs }));
    const once = keys.ofToken(jti);
    const outcome = await ends.end({ marks: [...marks, { key: once, untilMs }], once });
    if (outcome === 'away') return this.#unavailable('nobody could keep that the session is over');
    count(outcome === 'ended' ? 'ended_by_provider' : 'logout_repeated');
    // Once more is done already: a provider that has not heard the answer asks again.
    return { status: 200, fields: ['cache-control', 'no-store'], body: '' };
  }

  #refused(why: string): Refusal {
    this.#options.count('logout_refused');
    return { code: 'logout_failed', detail: `the logout token: ${why}`, fields: [] };
  }

  #unavailable(why: string): Refusal {
    this.#options.count('unavailable');
    return { code: 'authentication_unavailable', detail: `login: ${why}`, fields: ['retry-after', RETRY_AFTER_S] };
  }
}
