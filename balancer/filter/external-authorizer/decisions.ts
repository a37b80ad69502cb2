// What an authorizer says about requests: asked once for all that wait with the same question, and remembered for a time where the file says so.
import type { Clock } from '../../../health/clock.ts';
import { fieldValue, type Fields } from '../../message/fields.ts';
import type { LocalReply } from '../../message/response.ts';
import type { Answered, HttpQuestions } from '../http-questions.ts';
import type { Question } from './question.ts';

/** Fields to set: it may go on. A reply: it may not. A text: why nobody can say. */
export type Decision = Allowed | LocalReply | string;

export interface Allowed {
  readonly set: Readonly<Fields>;
}

export const isAllowed = (decision: Allowed | LocalReply): decision is Allowed => 'set' in decision;

export interface DecisionOptions {
  readonly questions: Pick<HttpQuestions, 'ask'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Names of fields of an answer that lets a request on, in lower case. */
  readonly take: readonly string[];
  readonly relay: {
    /** Statuses of refusals. */
    readonly statuses: ReadonlySet<number>;
    /** Names in lower case. */
    readonly fields: readonly string[];
    readonly bodyBytes: number;
  };
  /** 0: nothing is remembered. */
  readonly rememberMs: number;
  readonly count: (outcome: 'allowed' | 'refused' | 'failed' | 'remembered') => void;
}

const MOST_REMEMBERED = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
/** Of an entry, besides its texts. */
const ENTRY_BYTES = 200;
/** What cannot stand in a field as it is: controls, which could end it early, and characters that would be cut to bytes that could. */
const UNSPEAKABLE = /[^\t\x20-\x7e\x80-\xff]/;

interface Judged {
  readonly decision: Decision;
  /** Whether it may stand for other requests too. */
  readonly lasting: boolean;
}

interface Remembered {
  readonly decision: Decision;
  readonly untilMs: number;
  readonly bytes: number;
}

export class Decisions {
  readonly #options: DecisionOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #running = new Map<string, Promise<Judged>>();
  #bytes = 0;

  constructor(options: DecisionOptions) {
    this.#options = options;
  }

  about(question: Question): Decision | Promise<Decision> {
    const { rememberMs, clock, count } = this.#options;
    if (rememberMs === 0) return this.#ask(question).then(({ decision }) => decision);
    const { key } = question;
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > clock.nowMs()) {
      count('remembered');
      return known.decision;
    }
    this.#forget(key);
    const running = this.#running.get(key);
    if (running === undefined) return this.#askFor(question);
    return running.then((judged) => this.#share(judged, question));
  }

  /** What was said to one request alone is no answer for the others that waited with it. */
  #share({ decision, lasting }: Judged, question: Question): Decision | Promise<Decision> {
    if (!lasting && typeof decision !== 'string') return this.#askAlone(question);
    this.#options.count(typeof decision === 'string' ? 'failed' : 'remembered');
    return decision;
  }

  async #askAlone(question: Question): Promise<Decision> {
    const { decision } = await this.#ask(question);
    return decision;
  }

  async #askFor(question: Question): Promise<Decision> {
    const { key } = question;
    const asked = this.#ask(question).finally(() => this.#running.delete(key));
    this.#running.set(key, asked);
    const { decision, lasting } = await asked;
    if (lasting) this.#remember(key, decision);
    return decision;
  }

  async #ask({ fields }: Question): Promise<Judged> {
    const { questions, relay, count } = this.#options;
    const answered = await questions.ask({ method: 'GET', fields, body: null, mostBytes: relay.bodyBytes });
    const decision = typeof answered === 'string' ? answered : this.#judge(answered);
    count(typeof decision === 'string' ? 'failed' : isAllowed(decision) ? 'allowed' : 'refused');
    return { decision, lasting: typeof answered !== 'string' && typeof decision !== 'string' && isLasting(answered) };
  }

  #judge(answered: Answered): Decision {
    const { take, relay } = this.#options;
    const { status } = answered;
    if (status >= 200 && status <= 299) return { set: taken(answered.fields, take) };
    return relay.statuses.has(status) ? relayed(answered, relay.fields) : `it answered ${status}`;
  }

  #remember(key: string, decision: Decision): void {
    const bytes = ENTRY_BYTES + sizeOf(decision);
    this.#forget(key);
    this.#remembered.set(key, { decision, untilMs: this.#options.clock.nowMs() + this.#options.rememberMs, bytes });
    this.#bytes += bytes;
    for (const [oldest] of this.#remembered) {
      if (this.#remembered.size <= MOST_REMEMBERED && this.#bytes <= MOST_BYTES) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const known = this.#remembered.get(key);
    if (known === undefined) return;
    this.#bytes -= known.bytes;
    this.#remembered.delete(key);
  }
}

/** An answer may say that it is for one request alone, and a cookie is. */
function isLasting({ fields }: Answered): boolean {
  const control = fieldValue(fields, 'cache-control') ?? '';
  return !/\bno-(?:store|cache)\b/i.test(control) && fieldValue(fields, 'set-cookie') === undefined;
}

function sizeOf(decision: Decision): number {
  if (typeof decision === 'string') return decision.length;
  const fields = isAllowed(decision) ? decision.set : decision.fields;
  return fields.reduce((sum, text) => sum + text.length, isAllowed(decision) ? 0 : Buffer.byteLength(decision.body));
}

/** What comes more than once is one list, so that nobody has to choose. */
function taken(fields: Readonly<Fields>, names: readonly string[]): Fields {
  return names.flatMap((name) => {
    const values = valuesOf(fields, name);
    return values.length === 0 ? [] : [name, values.join(', ')];
  });
}

function valuesOf(fields: Readonly<Fields>, name: string): readonly string[] {
  return fields.filter((value, index) => index % 2 === 1 && fields[index - 1] === name && !UNSPEAKABLE.test(value));
}

/** Nothing of what an authorizer says to one caller is for caches on the way to others. */
function relayed({ status, fields, body }: Answered, names: readonly string[]): LocalReply {
  const kept = names.flatMap((name) => valuesOf(fields, name).flatMap((value) => [name, value]));
  const own = names.includes('cache-control') ? kept : [...kept, 'cache-control', 'no-store'];
  const encoding = fieldValue(fields, 'content-encoding') ?? 'identity';
  // A body that is too large, encoded or no UTF-8 would not be the one that was meant.
  if (body === null || body === '' || body.includes('\ufffd') || encoding !== 'identity') return { status, fields: own, body: '' };
  const [type = 'text/plain; charset=utf-8'] = valuesOf(fields, 'content-type');
  return { status, fields: ['content-type', type, ...own], body };
}
