// Tells a webhook of events: in order, signed so that a receiver can refuse what is old or forged, again until it is taken, and bounded whatever it does.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Pool } from 'undici';
import { BackOff } from '../../health/back-off.ts';
import type { Clock, Random, Timer } from '../../health/clock.ts';
import type { WebhookConfig } from '../config/telemetry-config.ts';
import type { EventView } from './api/views.ts';

const MOST_WAITING = 1000;
const BACK_OFF = { baseMs: 5000, maxMs: 300_000, jitter: 0.2 };
/** Who was not there for a day has other sources for what happened. */
const EXPIRES_MS = 24 * 3_600_000;
const MOST_RETRY_AFTER_S = 3600;
const SEVERITIES = ['info', 'warning', 'critical'] as const;

export type WebhookOutcome = 'delivered' | 'retried' | 'refused' | 'expired' | 'queue_full';

export interface WebhookEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the host, and of this run of its controller, so that ids do not come again. */
  readonly host: string;
  readonly instance: string;
  readonly readSecret: () => string | null;
  readonly count: (outcome: WebhookOutcome) => void;
  /** That it does not take events, once until it does. */
  readonly tell: (problem: string) => void;
}

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly sinceMs: number;
}

export class Webhook {
  readonly #config: WebhookConfig;
  readonly #environment: WebhookEnvironment;
  readonly #path: string;
  readonly #backOff: BackOff;
  readonly #waiting: Waiting[] = [];
  #pool: Promise<Pool> | null = null;
  #timer: Timer | null = null;
  #sending = false;
  #closed = false;
  #told = false;

  /** Connects with the first event. */
  constructor(config: WebhookConfig, environment: WebhookEnvironment) {
    this.#config = config;
    this.#environment = environment;
    const { pathname, search } = new URL(config.url);
    this.#path = `${pathname}${search}`;
    this.#backOff = new BackOff(BACK_OFF, environment.random);
  }

  add(event: EventView): void {
    if (this.#closed || !wants(this.#config, event)) return;
    const { clock, host, instance, count } = this.#environment;
    if (this.#waiting.length >= MOST_WAITING) {
      // The one that is being sent stays.
      this.#waiting.splice(this.#sending ? 1 : 0, 1);
      count('queue_full');
    }
    const body = JSON.stringify({ type: event.code, timestamp: event.at, data: { host, ...event } });
    this.#waiting.push({ id: `evt_${instance}_${event.sequence}`, body, sinceMs: clock.nowMs() });
    if (this.#timer === null) void this.#sendAll();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await (await this.#pool)?.destroy();
  }

  async #sendAll(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let next = this.#waiting[0]; next !== undefined && !this.#closed; next = this.#waiting[0]) {
      const answer = await this.#send(next);
      if (this.#isClosed()) break;
      if (answer === null) {
        this.#waiting.shift();
        continue;
      }
      const { clock } = this.#environment;
      const waitMs = Math.max(this.#backOff.nextMs(), answer.retryAfterMs);
      this.#timer = clock.after(
        waitMs,
        () => {
          this.#timer = null;
          void this.#sendAll();
        },
        true,
      );
      break;
    }
    this.#sending = false;
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  /** Null: it is done with; else when it may be sent again. */
  async #send(waiting: Waiting): Promise<{ readonly retryAfterMs: number } | null> {
    const { count, clock } = this.#environment;
    if (clock.nowMs() - waiting.sinceMs > EXPIRES_MS) {
      count('expired');
      return null;
    }
    const said = await this.#post(waiting);
    if (typeof said !== 'string' && said.status >= 200 && said.status < 300) {
      this.#backOff.reset();
      this.#told = false;
      count('delivered');
      return null;
    }
    if (this.#isClosed()) return null;
    const problem = typeof said === 'string' ? said : `it answers ${said.status}`;
    if (!this.#told) this.#environment.tell(`webhook ${this.#config.name} does not take events: ${problem}`);
    this.#told = true;
    if (typeof said !== 'string' && said.status === 410) {
      count('refused');
      return null;
    }
    count('retried');
    return { retryAfterMs: typeof said === 'string' ? 0 : said.retryAfterMs };
  }

  async #post({ id, body }: Waiting): Promise<{ readonly status: number; readonly retryAfterMs: number } | string> {
    const { clock, readSecret } = this.#environment;
    const { headers, secret, timeoutMs } = this.#config;
    const timestamp = String(Math.floor(clock.wallMs() / 1000));
    const keys = secret === null ? null : readSecret();
    if (secret !== null && keys === null) return 'the keys of its signatures cannot be read';
    const abort = new AbortController();
    const timer = clock.after(timeoutMs, () => abort.abort(), true);
    try {
      const signature = keys === null ? null : signatureOf({ id, timestamp, body }, keys);
      if (signature === '') return 'there is no key of signatures of the form whsec_BASE64';
      const sent = {
        ...{ 'content-type': 'application/json', 'user-agent': 'weir', ...headers },
        ...{ 'webhook-id': id, 'webhook-timestamp': timestamp },
        ...(signature === null ? {} : { 'webhook-signature': signature }),
      };
      const pool = await (this.#pool ??= this.#connect());
      const answer = await pool.request({ method: 'POST', path: this.#path, headers: sent, body, signal: abort.signal });
      await answer.body.dump({ limit: 65_536 });
      const after = String(answer.headers['retry-after'] ?? '');
      const retryAfterMs = /^\d{1,5}$/.test(after) ? Math.min(Number(after), MOST_RETRY_AFTER_S) * 1000 : 0;
      return { status: answer.statusCode, retryAfterMs };
    } catch (error) {
      const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? error.message) : error;
      return abort.signal.aborted ? `no answer within ${timeoutMs} ms` : String(code);
    } finally {
      timer.cancel();
    }
  }

  async #connect(): Promise<Pool> {
    const { Pool } = await import('undici');
    const { url, ca } = this.#config;
    return new Pool(new URL(url).origin, { connections: 1, allowH2: false, ...(ca === null ? {} : { connect: { ca: readFileSync(ca) } }) });
  }
}

/** Standard Webhooks: one signature for each key, so that a receiver that has either can check it; empty: there is no key. */
export function signatureOf(
  { id, timestamp, body }: { readonly id: string; readonly timestamp: string; readonly body: string },
  keys: string,
): string {
  return keys
    .split('\n')
    .map((line) => /^\s*whsec_([A-Za-z0-9+/=]{16,})\s*$/.exec(line)?.[1])
    .filter((key) => key !== undefined)
    .map((key) => `v1,${createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`).digest('base64')}`)
    .join(' ');
}

function wants({ events, leastSeverity }: WebhookConfig, { code, severity }: EventView): boolean {
  // Its own trouble would only wait behind what it does not take.
  if (code === 'events.undelivered') return false;
  if (SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(leastSeverity)) return false;
  return events.length === 0 || events.some((one) => code === one || code.startsWith(`${one}.`));
}
