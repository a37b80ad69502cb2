// Services for whose requests the plan has no place, or not enough: told when it begins and when it is over, and not each time a share moves.
import type { ServiceView } from './api/views.ts';
import type { EventLog } from './events.ts';

/** At the edge of a capacity a share comes and goes with each plan: it is over when it was so for this long. */
const OVER_MS = 10_000;

export class PlanNews {
  /** Service → when a part of its requests was last refused. */
  readonly #refusedAtMs = new Map<string, number>();

  look(services: readonly Pick<ServiceView, 'name' | 'lostShare' | 'shedShare'>[], nowMs: number, events: Pick<EventLog, 'add'>): void {
    for (const { name, lostShare, shedShare } of services) {
      if (lostShare === 0) continue;
      if (!this.#refusedAtMs.has(name)) {
        const why = shedShare === 0 ? 'no place can take them' : 'for want of capacity';
        events.add('plan.requests_lost', `service ${name} answers ${percent(lostShare)} % of its requests with 503: ${why}`);
      }
      this.#refusedAtMs.set(name, nowMs);
    }
    for (const [name, atMs] of this.#refusedAtMs) {
      if (nowMs - atMs < OVER_MS) continue;
      this.#refusedAtMs.delete(name);
      events.add('plan.requests_placed', `service ${name} has a place for all of its requests again`);
    }
  }
}

const percent = (share: number): number => Math.round(share * 1000) / 10;
