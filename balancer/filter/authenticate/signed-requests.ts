// What holds for signed requests, whatever signed them: their bodies are the ones that were signed, and a signature is good once.
import { choice, duration } from '../../config/schema-parts.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import { durationMs } from '../../config/quantities.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { BodyTransform, FilterEnvironment, Refusal } from '../filter.ts';
import type { Proof } from './method.ts';
import { useKey, type UseOutcome } from './one-time-use.ts';
import { SignedBody, signedDigests, type Digest } from './signed-body.ts';
import { isSafe } from './signed-parts.ts';

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

export const onUnavailable = choice(
  ['deny', 'local'],
  'While nobody can be asked whether a signature was used: 503 (deny); or what this host knows decides while Redis is away, and what this worker knows while the controller is (local), so that a copy may pass once at each',
  'deny',
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
  readonly onUnavailable: 'deny' | 'local';
}

export const usesOnce = (options: unknown): boolean => options !== undefined && (options as SignedOptions).repeat !== 'always';

/** A request whose signature is right. */
export interface RightlySigned {
  /** Names of what is signed, in lower case. */
  readonly parts: readonly string[];
  /** Who signed what: the same for the same signature, in all its spellings. */
  readonly text: string;
  /** Until when it would be good, in wall milliseconds. */
  readonly untilMs: number;
  /** Of who has signed it. */
  readonly id: string;
  readonly identity: Identity;
}

export interface SignedRequestsPlace extends Pick<FilterEnvironment, 'oneTimeUses' | 'meter' | 'route'> {
  /** Of the method. */
  readonly method: string;
  readonly refused: (detail: string) => Refusal;
}

export class SignedRequests {
  readonly #options: SignedOptions;
  readonly #place: SignedRequestsPlace;
  /** What the bodies of requests must be that are on their way. */
  readonly #bodies = new WeakMap<CanonicalRequest, readonly Digest[]>();
  /** Absent: bodies are not looked at. */
  readonly onRequestBody?: (request: CanonicalRequest) => BodyTransform | null;

  constructor(options: SignedOptions, place: SignedRequestsPlace) {
    this.#options = options;
    this.#place = place;
    if (options.body === 'ignore') return;
    this.onRequestBody = (request) => {
      const digests = this.#bodies.get(request);
      return digests === undefined ? null : new SignedBody(digests);
    };
  }

  /** Who has signed it, if its body can be the one that was signed and the signature was not used before. */
  prove(request: CanonicalRequest, signed: RightlySigned): Proof | Promise<Proof> {
    const { parts, text, untilMs } = signed;
    const digests = this.#options.body === 'verify' ? signedDigests(request, parts) : [];
    if (typeof digests === 'string') return this.#refused(signed, digests);
    if (digests.length > 0) this.#bodies.set(request, digests);
    if (this.#mayRepeat(request)) return signed.identity;
    const { oneTimeUses, method } = this.#place;
    const mayBeAlone = this.#options.onUnavailable === 'local';
    const outcome = oneTimeUses.use({ key: useKey(method, text), untilMs, mayBeAlone });
    return outcome instanceof Promise ? outcome.then((later) => this.#judge(signed, later)) : this.#judge(signed, outcome);
  }

  #judge(signed: RightlySigned, outcome: UseOutcome): Proof {
    const { meter, route, method } = this.#place;
    meter.counter('weir_signed_requests_total', [route, outcome]).add(1);
    switch (outcome) {
      case 'first':
      case 'alone':
        return signed.identity;
      case 'repeated':
        return this.#refused(signed, 'it was used before');
      case 'full':
      case 'away': {
        const why = outcome === 'full' ? 'there is no room to remember that it is used' : 'nobody can be asked whether it was used';
        return { code: 'authentication_unavailable', detail: `${method}: of ${signed.id}: ${why}`, fields: [] };
      }
    }
  }

  #refused({ id }: RightlySigned, problem: string): Refusal {
    return this.#place.refused(`of ${id}: ${problem}`);
  }

  #mayRepeat(request: CanonicalRequest): boolean {
    const { repeat: which } = this.#options;
    return which === 'always' || (which === 'safe' && isSafe(request));
  }
}
