// Questions that a filter asks another service about a request: few kept connections, verified, without redirects, with a time-out and bounded answers.
import { readFileSync } from 'node:fs';
import type { Pool } from 'undici';
import { boundedText } from '../message/bounded-text.ts';
import type { Clock } from '../../health/clock.ts';
import type { Fields } from '../message/fields.ts';

const CONNECTIONS = 8;
/** Beyond, nobody waits: a service that is slow must not fill this process with requests. */
const MOST_AT_ONCE = 256;
const MOST_BYTES = 65_536;
/** After questions in vain nobody asks for this long, so that a service that hangs does not hold up every request for its time-out. */
const AWAY_MS = 1000;

export interface QuestionPlace {
  readonly url: string;
  /** PEM file of the authorities that are trusted; null: those of the system. */
  readonly ca: string | null;
  readonly timeoutMs: number;
  /** Kept connections, each with one question at a time; default: 8. */
  readonly connections?: number;
  /** Questions that are asked or wait for a connection; default: 256. */
  readonly mostAtOnce?: number;
  /** Questions in vain, one after the other, before nobody asks for a second; default: 1. */
  readonly patience?: number;
}

export interface Question {
  readonly method: 'GET' | 'POST';
  /** A name may come more than once. */
  readonly fields: Fields;
  /** Null: none. */
  readonly body: string | null;
  /** Of the answer's body that is read. */
  readonly mostBytes: number;
}

export interface Told {
  readonly status: number;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly fields: Fields;
  /** Null: there is more of it than was to be read. */
  readonly body: string | null;
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
  /** In vain, since the last answer. */
  #failures = 0;
  #awayUntilMs = -Infinity;

  /** Throws an Error that teaches when the authorities cannot be read. Connects with the first question. */
  constructor(place: QuestionPlace, clock: Pick<Clock, 'nowMs' | 'after'>) {
    const { origin, pathname, search } = new URL(place.url);
    this.#place = place;
    this.#path = `${pathname}${search}`;
    this.#clock = clock;
    const { connections = CONNECTIONS, ca } = place;
    const options = { connections, ...(ca === null ? {} : { connect: { ca: readFileSync(ca) } }) };
    this.#pool = import('undici').then(({ Pool }) => new Pool(origin, options));
  }

  async post(headers: Readonly<Record<string, string>>, body: string): Promise<Outcome> {
    const answered = await this.ask({ method: 'POST', fields: Object.entries(headers).flat(), body, mostBytes: MOST_BYTES });
    if (typeof answered === 'string') return answered;
    return answered.body === null ? `the answer has more than ${MOST_BYTES} bytes` : { status: answered.status, body: answered.body };
  }

  /** Asked once: whoever asks again after a time-out doubles the load of a service that is slow already. */
  async ask({ method, fields, body, mostBytes }: Question): Promise<Answered | string> {
    const { timeoutMs, mostAtOnce = MOST_AT_ONCE } = this.#place;
    if (this.#clock.nowMs() < this.#awayUntilMs) return 'it did not answer a moment ago';
    if (this.#running >= mostAtOnce) return `${mostAtOnce} questions wait for an answer already`;
    this.#running += 1;
    const abort = new AbortController();
    const timer = this.#clock.after(timeoutMs, () => abort.abort(), true);
    try {
      const asked = { method, path: this.#path, headers: fields, body, signal: abort.signal } as const;
      const answer = await (await this.#pool).request(asked);
      const text = await boundedText(answer.body, mostBytes);
      this.#failures = 0;
      return { status: answer.statusCode, fields: flatFields(answer.headers), body: text };
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= (this.#place.patience ?? 1)) this.#awayUntilMs = this.#clock.nowMs() + AWAY_MS;
      return abort.signal.aborted ? 'no answer in time' : `no answer (${codeOf(error)})`;
    } finally {
      timer.cancel();
      this.#running -= 1;
    }
  }
}

function flatFields(headers: Readonly<Record<string, string | string[] | undefined>>): Fields {
  const fields: Fields = [];
  for (const [name, value] of Object.entries(headers))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) fields.push(name.toLowerCase(), one);
  return fields;
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
