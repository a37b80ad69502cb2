// What holds for signed requests, whatever signed them: their bodies are the ones that were signed, and a signature is good once.
import type { Clock } from '../../../health/clock.ts';
import { choice, duration } from '../../config/schema-parts.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import { durationMs } from '../../config/quantities.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { BodyTransform } from '../filter.ts';
import { SignedBody, signedDigests, type Digest } from './signed-body.ts';
import { isSafe } from './signed-parts.ts';
import { UsedOnce } from './used-once.ts';

const MOST_SKEW_MS = 3_600_000;

export const skew = duration('How far the time that a request says it was signed at may be from the time of this host, at most 1h', '5m');

export const body = choice(
  ['verify', 'ignore'],
  'verify: a request with a body must have signed `content-digest` or `digest`, and its body must be that one; ignore: bodies may be others than were signed',
  'verify',
);

export const repeat = choice(
  ['safe', 'never', 'always'],
  'Which requests may come again with the same signature: GET, HEAD and OPTIONS (safe), none, or all',
  'safe',
);

/** Of a skew as it stands in the file. */
export function skewMsOf(text: string, place: OptionsPlace): number {
  const skewMs = durationMs(text);
  if (skewMs > MOST_SKEW_MS) place.report(['skew'], 'is more than 1h; a request that somebody has seen would be good for so long');
  return skewMs;
}

export interface SignedOptions {
  readonly body: 'verify' | 'ignore';
  readonly repeat: 'safe' | 'never' | 'always';
}

/** A request whose signature is right. */
export interface RightlySigned {
  /** Names of what is signed, in lower case. */
  readonly parts: readonly string[];
  /** Who signed what: the same for the same signature, in all its spellings. */
  readonly text: string;
  /** Until when it would be good, in wall milliseconds. */
  readonly untilMs: number;
}

export class SignedRequests {
  readonly #options: SignedOptions;
  readonly #used: UsedOnce;
  /** What the bodies of requests must be that are on their way. */
  readonly #bodies = new WeakMap<CanonicalRequest, readonly Digest[]>();
  /** Absent: bodies are not looked at. */
  readonly onRequestBody?: (request: CanonicalRequest) => BodyTransform | null;

  constructor(options: SignedOptions, clock: Pick<Clock, 'wallMs'>) {
    this.#options = options;
    this.#used = new UsedOnce(clock);
    if (options.body === 'ignore') return;
    this.onRequestBody = (request) => {
      const digests = this.#bodies.get(request);
      return digests === undefined ? null : new SignedBody(digests);
    };
  }

  /** Null: it may go on. A text: why it may not. */
  problemOf(request: CanonicalRequest, { parts, text, untilMs }: RightlySigned): string | null {
    const digests = this.#options.body === 'verify' ? signedDigests(request, parts) : [];
    if (typeof digests === 'string') return digests;
    if (!this.#mayRepeat(request) && !this.#used.take(text, untilMs)) return 'it was used before';
    if (digests.length > 0) this.#bodies.set(request, digests);
    return null;
  }

  #mayRepeat(request: CanonicalRequest): boolean {
    const { repeat: which } = this.#options;
    return which === 'always' || (which === 'safe' && isSafe(request));
  }
}
