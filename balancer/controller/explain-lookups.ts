// What explaining looks things up in: routers and regions of clients, made once for a config, beside the other work of the controller.
import type { Clock } from '../../health/clock.ts';
import { inTurns } from '../../health/in-turns.ts';
import type { Config, ListenerConfig } from '../config/config.ts';
import { asksForRegions, ClientRegions } from '../locate/client-regions.ts';
import { routerInSteps, type Router } from '../route/router.ts';

export interface LookupSources {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly warn: (problem: string) => void;
}

export interface Lookups {
  readonly router: Router;
  /** Null: nothing asks where clients are. */
  readonly clientRegions: ClientRegions | null;
}

export class ExplainLookups {
  readonly #sources: LookupSources;
  #config: Config | null = null;
  #routers = new Map<string, Promise<Router>>();
  #regions: Promise<ClientRegions | null> = Promise.resolve(null);

  constructor(sources: LookupSources) {
    this.#sources = sources;
  }

  /** Of thousands of routes this takes a while, the first time; who asks meanwhile waits for the same. */
  async of(config: Config, { name, protocol }: ListenerConfig): Promise<Lookups> {
    this.#follow(config);
    const known = this.#routers.get(name) ?? inTurns(routerInSteps(config.routes, name, protocol), this.#sources.clock);
    this.#routers.set(name, known);
    return { router: await known, clientRegions: await this.#regions };
  }

  #follow(config: Config): void {
    if (this.#config === config) return;
    this.#config = config;
    this.#routers = new Map();
    this.#regions = this.#regionsOf(config, this.#regions);
  }

  async #regionsOf(config: Config, previous: Promise<ClientRegions | null>): Promise<ClientRegions | null> {
    if (!asksForRegions(config)) return null;
    try {
      return await ClientRegions.of(config, this.#sources, await previous);
    } catch (error) {
      // Workers do not serve such a config either, and say so.
      this.#sources.warn(error instanceof Error ? error.message : String(error));
      return null;
    }
  }
}
