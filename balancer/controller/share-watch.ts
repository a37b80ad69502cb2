// Holds the observed shares of each service against the plan, over the time in which the plan did not change.
import { accuracyOf, type Accuracy } from '../steer/accuracy.ts';
import { targetKey, type Plan, type ServicePlan } from '../steer/plan-shape.ts';
import { WINDOW_SECONDS, type TrafficWindow } from '../telemetry/window.ts';

/** Requests that were under way when the shares changed, and workers that tell once a second what they counted. */
const SETTLE_MS = 3000;

interface Since {
  readonly shares: string;
  readonly sinceMs: number;
}

export class ShareWatch {
  readonly #window: Pick<TrafficWindow, 'splitRps'>;
  #since = new Map<string, Since>();
  #accuracy: ReadonlyMap<string, Accuracy> = new Map();

  constructor(window: Pick<TrafficWindow, 'splitRps'>) {
    this.#window = window;
  }

  /** Once a second. `workers`: those that serve. */
  look(plan: Plan, workers: number, nowMs: number): void {
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
      if (seconds >= 1) this.#judge(service, { seconds, workers }, accuracy);
    }
    this.#since = since;
    this.#accuracy = accuracy;
  }

  /** Null: there is nothing to say yet, or no traffic. */
  of(service: string, version: string, cluster: string): Accuracy | null {
    return this.#accuracy.get(targetKey(service, version, cluster)) ?? null;
  }

  #judge(
    { service, targets }: ServicePlan,
    { seconds, workers }: { readonly seconds: number; readonly workers: number },
    into: Map<string, Accuracy>,
  ): void {
    const requests = targets.map(({ version, cluster }) =>
      Math.round(this.#window.splitRps({ of: 'target', service, version, cluster }, seconds) * seconds),
    );
    const total = requests.reduce((sum, count) => sum + count, 0);
    for (const [index, { version, cluster, effective }] of targets.entries()) {
      const accuracy = accuracyOf(effective, { total, requests: requests[index] ?? 0, workers });
      if (accuracy !== null) into.set(targetKey(service, version, cluster), accuracy);
    }
  }
}
