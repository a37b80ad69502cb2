// The access log: one line for each request, gathered in batches and never waited for by a request.
import type { Random } from '../../health/clock.ts';
import type { AccessLogConfig } from '../config/telemetry-config.ts';
import type { Fields } from '../message/fields.ts';
import { LogFile } from './log-file.ts';
import { lineMaker, type LineMaker } from './log-line.ts';
import { Syslog } from './log-syslog.ts';

/** One request, or one connection that was passed through, when it is over. */
export interface AccessLogEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly requestId: string;
  /** Not there where it is not traced. */
  readonly traceId?: string;
  readonly listener: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  /** Without the query, which may carry secrets. */
  readonly path: string;
  /** 0: closed without an answer, and always where bytes are passed through. */
  readonly status: number;
  /** Of a call of gRPC: the HTTP status that its own stands for, where that is another one; not there for others. */
  readonly result?: number;
  /** Of bodies, or of the connection. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly route: string;
  readonly service: string;
  readonly version: string;
  readonly cluster: string;
  readonly endpoint: string;
  readonly attempts: number;
  /** Code of the error catalogue; empty: none. */
  readonly error: string;
  /** What an operator may know about the error; empty: nothing. */
  readonly detail: string;
  /** Who has proved to call, by the name in the config (empty: an issuer vouches for them alone), and by what; not there for others. */
  readonly consumer?: string;
  readonly authenticatedBy?: string;
  /** What a client whose TLS is passed through offered to speak; not there for others. `host` is its server name. */
  readonly alpn?: readonly string[];
}

/** Where lines go. It never keeps anybody waiting. */
export interface LineTarget {
  /** False: it has too much that waits, and takes nothing of this. `lines` have their line ends. */
  write(lines: string, count: number): boolean;
  /** Resolves when what was written is where it belongs, or cannot be brought there: with so many lines that are lost. */
  close(): Promise<number>;
}

/** A batch is handed on when it has this many characters, and at the latest after `FLUSH_MS`. */
const BATCH_CHARS = 64 * 1024;
const FLUSH_MS = 200;

const NO_FIELDS: Readonly<Fields> = [];

export class AccessLog {
  readonly #config: AccessLogConfig;
  readonly #target: LineTarget;
  readonly #random: Random;
  readonly #line: LineMaker;
  #batch = '';
  #lines = 0;
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;

  constructor(config: AccessLogConfig, target: LineTarget, random: Random) {
    this.#config = config;
    this.#target = target;
    this.#random = random;
    this.#line = lineMaker(config);
  }

  /** Whether a request has a line. `share`: the part of those of its route that may, 0 to 1. */
  takes(notable: boolean, share: number): boolean {
    if (notable && this.#config.errors) return share > 0;
    const part = this.#config.sample * share;
    return part >= 1 || this.#random() < part;
  }

  /** `fields`: those of the request. */
  write(entry: AccessLogEntry, fields: Readonly<Fields> = NO_FIELDS): void {
    this.#batch += this.#line(entry, fields);
    this.#lines += 1;
    if (this.#batch.length >= BATCH_CHARS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Lines dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Hands on what is left. */
  async close(): Promise<void> {
    this.#flush();
    this.#dropped += await this.#target.close();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#batch === '') return;
    const [batch, lines] = [this.#batch, this.#lines];
    this.#batch = '';
    this.#lines = 0;
    if (!this.#target.write(batch, lines)) this.#dropped += lines;
  }
}

/** Opens its target with the first line. */
export function openAccessLog(config: AccessLogConfig, hostName: string, random: Random): AccessLog {
  const { target } = config;
  if (target.kind === 'syslog') return new AccessLog(config, new Syslog({ ...target, hostName }), random);
  return new AccessLog(config, new LogFile(target.kind === 'stdout' ? { path: null, maxBytes: 0, keep: 0 } : target), random);
}
