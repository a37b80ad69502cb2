// Workers are replaced one after the other: each leaves when the one that takes over from it serves, so there are never fewer than there should be.
import type { Slot } from './slot.ts';

export interface RollingHooks {
  /** The workers that stay, of now. */
  staying(): readonly Slot[];
  /** Starts one that takes over the sockets of `old`. */
  startHeir(old: Slot): Slot;
  /** Takes the heir away again; `old` serves on. */
  dropHeir(old: Slot, heir: Slot): void;
  leave(slot: Slot): void;
  /** Null: all are replaced. */
  onEnd(problem: string | null): void;
}

export class RollingRestart {
  readonly #hooks: RollingHooks;
  readonly #left: Slot[];
  #now: { readonly old: Slot; readonly heir: Slot } | null = null;
  #ended = false;

  constructor(hooks: RollingHooks) {
    this.#hooks = hooks;
    this.#left = [...hooks.staying()];
  }

  start(): void {
    this.#next();
  }

  /** A worker serves. */
  ready(slot: Slot): void {
    if (this.#now?.heir !== slot) return;
    const { old } = this.#now;
    this.#now = null;
    this.#hooks.leave(old);
    this.#next();
  }

  /** A worker is gone before it was ready, or is not wanted any more. */
  lost(slot: Slot, how: string): void {
    if (this.#now?.heir === slot) this.giveUp(`the new worker ${slot.name} ended before it was ready (${how}); the log says why`);
  }

  /** Those that are replaced stay replaced, the others stay as they are. */
  giveUp(problem: string): void {
    if (this.#ended) return;
    const now = this.#now;
    this.#now = null;
    if (now !== null) this.#hooks.dropHeir(now.old, now.heir);
    this.#end(problem);
  }

  #next(): void {
    let old = this.#left.shift();
    // Scaled away meanwhile.
    while (old?.leaving === true) old = this.#left.shift();
    if (old === undefined) return this.#end(null);
    this.#now = { old, heir: this.#hooks.startHeir(old) };
  }

  #end(problem: string | null): void {
    this.#ended = true;
    this.#hooks.onEnd(problem);
  }
}
