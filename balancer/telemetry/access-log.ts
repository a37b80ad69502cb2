// The access log: one JSON object a line to stdout or a file, written in batches and never waited for by a request.
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Writable } from 'node:stream';

/** One request, or one connection that was passed through, when it is over. */
export interface AccessLogEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly requestId: string;
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

/** A batch is handed on when it has this many characters, and at the latest after `FLUSH_MS`. */
const BATCH_CHARS = 64 * 1024;
const FLUSH_MS = 200;
/** Lines beyond this much that the target has not taken yet are dropped and counted. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export class AccessLog {
  readonly #target: Writable;
  readonly #isFile: boolean;
  #batch = '';
  #timer: NodeJS.Timeout | null = null;
  #dropped = 0;
  #broken = false;

  /** `target`: `stdout`, or the path of a file that is appended to (created with mode 0600). */
  constructor(target: string) {
    this.#isFile = target !== 'stdout';
    this.#target = this.#isFile ? openFile(target) : process.stdout;
    // A target that breaks (disk full, reader of the pipe gone) costs lines, never requests.
    this.#target.on('error', this.#onError);
  }

  write(entry: AccessLogEntry): void {
    if (this.#broken || this.#target.writableLength + this.#batch.length > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#batch += `${JSON.stringify(entry)}\n`;
    if (this.#batch.length >= BATCH_CHARS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Lines dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Hands on what is left; resolves when the target has it. */
  async close(): Promise<void> {
    this.#flush();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => resolve(undefined);
    if (this.#broken) done();
    else if (this.#isFile) this.#target.once('error', done).end(done);
    else this.#target.write('', done);
    await promise;
    if (!this.#isFile) this.#target.off('error', this.#onError);
  }

  readonly #onError = (): void => {
    this.#broken = true;
  };

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#batch === '') return;
    const batch = this.#batch;
    this.#batch = '';
    this.#target.write(batch);
  }
}

function openFile(path: string): WriteStream {
  return createWriteStream(path, { flags: 'a', mode: 0o600 });
}
