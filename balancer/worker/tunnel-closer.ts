// Closes the tunnels to a cluster one by one, at a pace that those who take them over can bear.
import type { Clock, Random, Timer } from '../../health/clock.ts';
import { TUNNELS_LEASE_MS } from '../ipc-work.ts';
import type { Tunnel } from './tunnel.ts';

interface Pace {
  perSecond: number;
  untilMs: number;
  timer: Timer | null;
}

const TWO_32 = 2 ** 32;

export interface TunnelCloserOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** In the order in which they began. */
  readonly tunnels: Iterable<Tunnel>;
  readonly onClosing: (cluster: string) => void;
}

export class TunnelCloser {
  readonly #options: TunnelCloserOptions;
  readonly #paces = new Map<string, Pace>();

  constructor(options: TunnelCloserOptions) {
    this.#options = options;
  }

  /** From now on, and for as long as a lease lasts; 0: no more. */
  set(cluster: string, perSecond: number): void {
    const known = this.#paces.get(cluster);
    if (perSecond <= 0) {
      known?.timer?.cancel();
      this.#paces.delete(cluster);
      return;
    }
    const untilMs = this.#options.clock.nowMs() + TUNNELS_LEASE_MS;
    if (known !== undefined) {
      known.perSecond = perSecond;
      known.untilMs = untilMs;
      return;
    }
    const pace = { perSecond, untilMs, timer: null };
    this.#paces.set(cluster, pace);
    this.#next(cluster, pace);
  }

  readonly leave = (tunnel: Tunnel): void => {
    const { random, onClosing } = this.#options;
    onClosing(tunnel.cluster);
    tunnel.leave(Math.floor(random() * TWO_32));
  };

  close(): void {
    for (const cluster of this.#paces.keys()) this.set(cluster, 0);
  }

  /** Half to one and a half times the mean apart, so that workers and hosts do not fall into step. */
  #next(cluster: string, pace: Pace): void {
    const { clock, random } = this.#options;
    const waitMs = ((0.5 + random()) * 1000) / pace.perSecond;
    pace.timer = clock.after(waitMs, () => this.#one(cluster, pace), true);
  }

  #one(cluster: string, pace: Pace): void {
    const { clock, tunnels } = this.#options;
    if (clock.nowMs() > pace.untilMs) return this.set(cluster, 0);
    for (const tunnel of tunnels) {
      if (tunnel.cluster !== cluster || tunnel.leaving) continue;
      this.leave(tunnel);
      break;
    }
    this.#next(cluster, pace);
  }
}
