// Holds the observed shares of each service against the plan, over the time in which the plan did not change.
import { MILLION, type ServiceConfig } from '../config/config.ts';
import { accuracyOf, type Accuracy } from '../steer/accuracy.ts';
import { targetKey, type Plan, type ServicePlan } from '../steer/plan-shape.ts';
import { WINDOW_SECONDS, type TrafficWindow } from '../telemetry/window.ts';

/** Requests that were under way when the shares changed, and workers that tell once a second what they counted. */
const SETTLE_MS = 3000;

export interface Watched {
  readonly plan: Plan;
  /** Those that serve. */
  readonly workers: number;
  readonly services: Readonly<Record<string, Pick<ServiceConfig, 'sticky'>>>;
}

type Shared = Pick<TrafficWindow, 'splitRps' | 'newRps'>;

interface Since {
  readonly shares: string;
  readonly sinceMs: number;
}

export class ShareWatch {
  readonly #window: Shared;
  #since = new Map<string, Since>();
  #accuracy: ReadonlyMap<string, Accuracy> = new Map();

  constructor(window: Shared) {
    this.#window = window;
  }

  /** Once a second. */
  look({ plan, workers, services }: Watched, nowMs: number): void {
    const since = new Map<string, Since>();
    const accuracy = new Map<string, Accuracy>();
    for (const service of Object.values(plan.services)) {
      // What all clients together get depends on where the next ones come from: no plan knows it.
      if (service.regions !== undefined) continue;
      const shares = service.targets.map(({ effective }) => effective).join(' ');
      const before = this.#since.get(service.service);
      const here = before?.shares === shares ? before : { shares, sinceMs: nowMs };
      since.set(service.service, here);
      const seconds = Math.min(WINDOW_SECONDS, Math.floor((nowMs - here.sinceMs - SETTLE_MS) / 1000));
      const sticky = services[service.service]?.sticky ?? null;
      if (seconds >= 1) this.#judge(service, { seconds, workers, sticky }, accuracy);
    }
    this.#since = since;
    this.#accuracy = accuracy;
  }

  /** Null: there is nothing to say yet, or no traffic. */
  of(service: string, version: string, cluster: string): Accuracy | null {
    return this.#accuracy.get(targetKey(service, version, cluster)) ?? null;
  }

  #judge({ service, targets }: ServicePlan, { seconds, workers, sticky }: Judged, into: Map<string, Accuracy>): void {
    const rpsOf = sticky === null ? this.#window.splitRps.bind(this.#window) : this.#window.newRps.bind(this.#window);
    const counts = targets.map(({ version, cluster }) => Math.round(rpsOf({ of: 'target', service, version, cluster }, seconds) * seconds));
    const total = counts.reduce((sum, count) => sum + count, 0);
    // What finds no place is counted nowhere: the others divide what is left.
    const given = targets.reduce((sum, { effective }) => sum + effective, 0) / MILLION;
    const repeats = sticky === null || sticky.key === null ? 1 : Math.max(1, workers);
    for (const [index, { version, cluster, effective }] of targets.entries()) {
      const counted = { total, requests: counts[index] ?? 0, workers, repeats, given };
      const accuracy = accuracyOf(effective, counted);
      if (accuracy !== null) into.set(targetKey(service, version, cluster), accuracy);
    }
  }
}

interface Judged {
  readonly seconds: number;
  readonly workers: number;
  /** Null: requests are judged, else new clients. */
  readonly sticky: ServiceConfig['sticky'];
}
