// Questions that a filter asks another service about a request: few kept connections, verified, without redirects, with a time-out and bounded answers.
import { readFileSync } from 'node:fs';
import type { Pool } from 'undici';
import type { Clock } from '../../health/clock.ts';

const CONNECTIONS = 8;
/** Beyond, nobody waits: a service that is slow must not fill this process with requests. */
const MOST_AT_ONCE = 256;
const MOST_BYTES = 65_536;
/** After a question in vain nobody asks for this long, so that a service that hangs does not hold up every request for its time-out. */
const AWAY_MS = 1000;

export interface QuestionPlace {
  readonly url: string;
  /** PEM file of the authorities that are trusted; null: those of the system. */
  readonly ca: string | null;
  readonly timeoutMs: number;
}

export interface Told {
  readonly status: number;
  readonly body: string;
}

/** A text: why there is no answer, without what was asked. */
export type Outcome = Told | string;

export class HttpQuestions {
  readonly #place: QuestionPlace;
  readonly #path: string;
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>;
  /** Idle connections close by themselves, so that nobody has to close it. Its package is loaded only where somebody asks. */
  readonly #pool: Promise<Pool>;
  #running = 0;
  #awayUntilMs = -Infinity;

  /** Throws an Error that teaches when the authorities cannot be read. Connects with the first question. */
  constructor(place: QuestionPlace, clock: Pick<Clock, 'nowMs' | 'after'>) {
    const { origin, pathname, search } = new URL(place.url);
    this.#place = place;
    this.#path = `${pathname}${search}`;
    this.#clock = clock;
    const options = { connections: CONNECTIONS, ...(place.ca === null ? {} : { connect: { ca: readFileSync(place.ca) } }) };
    this.#pool = import('undici').then(({ Pool }) => new Pool(origin, options));
  }

  async post(headers: Readonly<Record<string, string>>, body: string): Promise<Outcome> {
    if (this.#clock.nowMs() < this.#awayUntilMs) return 'it did not answer a moment ago';
    if (this.#running >= MOST_AT_ONCE) return `${MOST_AT_ONCE} questions wait for an answer already`;
    this.#running += 1;
    const abort = new AbortController();
    const timer = this.#clock.after(this.#place.timeoutMs, () => abort.abort(), true);
    try {
      const asked = { method: 'POST', path: this.#path, headers, body, signal: abort.signal } as const;
      const answer = await (await this.#pool).request(asked);
      const text = await bounded(answer.body);
      return text === null ? `the answer has more than ${MOST_BYTES} bytes` : { status: answer.statusCode, body: text };
    } catch (error) {
      this.#awayUntilMs = this.#clock.nowMs() + AWAY_MS;
      return abort.signal.aborted ? 'no answer in time' : `no answer (${codeOf(error)})`;
    } finally {
      timer.cancel();
      this.#running -= 1;
    }
  }
}

/** Null: there is more of it than is read. */
async function bounded(body: AsyncIterable<Uint8Array>): Promise<string | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MOST_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
