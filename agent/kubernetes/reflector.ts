// Keeps what is known of one kind of object: lists it once, follows it, and tells how fresh it is. One request at a time, whatever happens.
import { isDeepStrictEqual } from 'node:util';
import { BackOff } from '../../health/back-off.ts';
import { type Clock, pause, type Random } from '../../health/clock.ts';
import type { Log } from '../../balancer/log.ts';
import type { SourceReport } from '../protocol.ts';
import { type ApiFailure, type ApiServer, isDenied, isExpired } from './api.ts';
import type { ServerGate } from './gate.ts';
import { listAll } from './list.ts';
import { keyOf } from './read-json.ts';
import { watch, type WatchEnd } from './watch.ts';

export interface ReflectorParts {
  readonly api: ApiServer;
  readonly gate: ServerGate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ReflectedKind<T> {
  /** For people. */
  readonly name: string;
  readonly path: string;
  /** The fields that are used, and no others; null: it does not count. */
  readonly read: (object: unknown) => T | null;
}

/** Heard of within this: a watch is heard of at least as often. */
export const FRESH_MS = 60_000;
/** Of a kind that is not there or not allowed: it may be installed or granted any time, but there is no hurry. */
const DENIED_MS = 60_000;
/** A watch that ends sooner, with nothing to tell, is a failure by another name; to begin anew at once would be a storm. */
const SHORT_MS = 1000;
const BACK_OFF = { baseMs: 250, maxMs: 30_000, jitter: 0.5 };

export class Reflector<T> {
  readonly #kind: ReflectedKind<T>;
  readonly #parts: ReflectorParts;
  readonly #onChange: () => void;
  readonly #backOff: BackOff;
  #items = new Map<string, T>();
  /** Of the last list or event, as the server wrote it; null: all has to be listed. */
  #version: string | null = null;
  #heardAtMs: number | null = null;
  /** The last attempt did not succeed. */
  #problem: string | null = null;
  #denied = false;
  #closed = false;
  #stop: (() => void) | null = null;
  #lists = 0;
  #watches = 0;

  constructor(kind: ReflectedKind<T>, parts: ReflectorParts, onChange: () => void) {
    this.#kind = kind;
    this.#parts = parts;
    this.#onChange = onChange;
    this.#backOff = new BackOff(BACK_OFF, parts.random);
  }

  /** What is known, by `namespace/name`; as old as `report()` says. */
  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  /** Whether there was a complete list. */
  get isKnown(): boolean {
    return this.#heardAtMs !== null && !this.#denied;
  }

  /** Lists and watches that were begun, for tests and for people. */
  get counts(): { readonly lists: number; readonly watches: number } {
    return { lists: this.#lists, watches: this.#watches };
  }

  /** Why it is not fresh; empty: nothing is wrong. */
  get problem(): string {
    return this.#problem ?? '';
  }

  report(): SourceReport {
    if (this.#heardAtMs === null || this.#denied) return { state: 'absent', ageMs: null };
    const ageMs = Math.round(this.#parts.clock.nowMs() - this.#heardAtMs);
    return { state: this.#problem === null && ageMs < FRESH_MS ? 'fresh' : 'stale', ageMs };
  }

  start(): void {
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
  }

  /** One after the other, for ever: that is what makes it single-flight. */
  async #run(): Promise<void> {
    const { gate } = this.#parts;
    while (!this.#closed) {
      await gate.pass();
      if (this.#isClosed()) return;
      const waitMs = this.#version === null ? await this.#list() : await this.#watch(this.#version);
      if (waitMs > 0 && !this.#isClosed()) await pause(this.#parts.clock, waitMs, true);
    }
  }

  /** As a question, since it changes while something is waited for. */
  #isClosed(): boolean {
    return this.#closed;
  }

  /** How long to wait before what comes next. */
  async #list(): Promise<number> {
    this.#lists += 1;
    const items = new Map<string, T>();
    const listed = await listAll(this.#parts.api, this.#kind.path, (object) => {
      const item = this.#kind.read(object);
      if (item !== null) items.set(keyOf(object), item);
    });
    if (this.#closed) return 0;
    if (!listed.ok) return isExpired(listed) ? this.#backOff.nextMs() : this.#failed(listed);
    this.#denied = false;
    this.#heard();
    this.#version = listed.resourceVersion;
    this.#items = items;
    this.#onChange();
    return 0;
  }

  async #watch(resourceVersion: string): Promise<number> {
    const { clock } = this.#parts;
    const beganAtMs = clock.nowMs();
    this.#watches += 1;
    let events = 0;
    const { promise, resolve } = Promise.withResolvers<WatchEnd | null>();
    const stop = watch({ api: this.#parts.api, path: this.#kind.path, resourceVersion }, this.#parts, {
      onOpen: () => this.#heard(),
      onVersion: (version) => {
        events += 1;
        this.#version = version;
        this.#heard();
      },
      onChange: (object) => this.#set(object),
      onGone: (object) => {
        if (this.#items.delete(keyOf(object))) this.#onChange();
      },
      onEnd: resolve,
    });
    this.#stop = () => {
      stop();
      resolve(null);
    };
    const end = await promise;
    this.#stop = null;
    if (end === null) return 0;
    return this.#ended(end, events > 0 || clock.nowMs() - beganAtMs >= SHORT_MS);
  }

  #set(object: unknown): void {
    const item = this.#kind.read(object);
    const key = keyOf(object);
    if (item === null) {
      if (this.#items.delete(key)) this.#onChange();
      return;
    }
    // Most events are heartbeats and annotations: nothing that is kept changes, so nothing has to be worked out again.
    if (isDeepStrictEqual(this.#items.get(key), item)) return;
    this.#items.set(key, item);
    this.#onChange();
  }

  #ended(end: WatchEnd, wasOfUse: boolean): number {
    const { log } = this.#parts;
    // Not before: one that opens and ends at once, again and again, has to wait longer each time.
    if (wasOfUse) this.#backOff.reset();
    switch (end.kind) {
      case 'ended':
        return wasOfUse ? 0 : this.#backOff.nextMs();
      case 'silent':
        this.#problem = 'its watch went silent';
        log.warn({ kind: this.#kind.name }, 'a watch went silent; it is begun anew');
        return 0;
      case 'expired':
        this.#version = null;
        return wasOfUse ? 0 : this.#backOff.nextMs();
      case 'failed':
        return this.#failed(end.failure);
    }
  }

  #failed(failure: ApiFailure): number {
    const { gate, log } = this.#parts;
    const { status, problem, retryAfterMs } = failure;
    if (this.#problem !== problem) log.warn({ kind: this.#kind.name, problem }, 'the API server gives nothing of this kind now');
    this.#problem = problem;
    if (isDenied(failure)) {
      this.#denied = true;
      this.#version = null;
      gate.answered();
      return DENIED_MS * (1 + this.#parts.random() / 2);
    }
    // No answer, too much to do, or broken within: it is the server's, so all kinds wait. Anything else is this kind's.
    if (status === 0 || status === 429 || status >= 500) {
      gate.failed(retryAfterMs);
      return 0;
    }
    return this.#backOff.nextMs();
  }

  #heard(): void {
    this.#heardAtMs = this.#parts.clock.nowMs();
    this.#problem = null;
    this.#parts.gate.answered();
  }
}
