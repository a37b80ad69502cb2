// Requests at once: a worker has some slots of each counter, a request has one while it runs, and what is free goes where it is needed.
import type { LimitConfig } from '../../config/limit-config.ts';
import type { Decision } from './allowances.ts';

export interface Slots {
  /** A request that passes has a slot from then on. A promise only where none is free here; it settles within a moment. */
  acquire(limit: LimitConfig, key: string): Decision | Promise<Decision>;
  /** Once for each that passed, whatever became of its request. */
  release(limit: string, key: string): void;
}
