// Micro bench of the plan: what the controller works out once a second, for a fleet of 100 clusters and 1,000 services.
import type { Config } from '../../balancer/config/config.ts';
import { loadConfig } from '../../balancer/config/load.ts';
import { seedIntent } from '../../balancer/intent/seed.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { losses } from '../../balancer/steer/headroom.ts';
import { plan, type PlanInput } from '../../balancer/steer/plan.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const CLUSTERS = 100;
const SERVICES = 1000;
/** Of each cluster; half of all together is what the services ask for in calm times. */
const RPS = 1000;
const CALM_RPS = 50;

interface Scene {
  /** Clusters that each service runs in. */
  readonly places: number;
  /** Requests per second of each service. */
  readonly rps: number;
  readonly down: number;
}

const TEXT = `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"], capacity: { rps: ${RPS} } } }
services: { one: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: one }]
`;

function fleet(places: number): Pick<Config, 'clusters' | 'services' | 'routes'> {
  const loaded = loadConfig({ file: 'bench.yaml', text: TEXT }, EXTENSIONS, { cores: 1, hostName: 'bench', readable: () => true });
  const [cluster, service] = loaded.ok ? [loaded.config.clusters['one'], loaded.config.services['one']] : [undefined, undefined];
  if (cluster === undefined || service === undefined) throw new Error('the config of the bench is not valid');
  const names = Array.from({ length: CLUSTERS }, (_, index) => `c${index}`);
  return {
    clusters: Object.fromEntries(names.map((name) => [name, { ...cluster, name }])),
    services: Object.fromEntries(
      Array.from({ length: SERVICES }, (_, number) => {
        const name = `s${number}`;
        const at = Array.from({ length: places }, (_unused, index) => names[(number * 7 + index * 13) % CLUSTERS] ?? '');
        const placements = [...new Set(at)].map((one, index) => ({ cluster: one, weight: 1 + (index % 3), priority: 0, host: null }));
        return [name, { ...service, name, versions: [{ name: 'blue', placements, health: null }], split: { blue: 1_000_000 } }];
      }),
    ),
    routes: [],
  };
}

function inputOf({ places, rps, down }: Scene): PlanInput {
  const config = fleet(places);
  const endpointOf = (index: number) => [{ endpoint: 'e', state: index < down ? ('down' as const) : ('up' as const) }];
  const clusters = Object.fromEntries(
    Object.keys(config.clusters).map((name, index) => [
      name,
      { state: index < down ? ('down' as const) : ('up' as const), endpoints: endpointOf(index) },
    ]),
  );
  const demand = Object.fromEntries(Object.keys(config.services).map((name) => [name, rps]));
  const { intent } = seedIntent(config, null);
  return { ...config, intent, health: { clusters, ejectedTargets: [] }, capacity: {}, demand, previous: null, nowMs: 0 };
}

function planning(name: string, scene: Scene): MicroCase {
  const input = inputOf(scene);
  let { memory } = plan(input);
  return {
    name: `${name}, ${scene.places} places each`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const planned = plan({ ...input, previous: memory, nowMs: memory.atMs + 1000 });
        memory = planned.memory;
        total += planned.plan.services['s0']?.lost ?? 0;
      }
      return total;
    },
  };
}

function losing(places: number): MicroCase {
  const { loads } = plan(inputOf({ places, rps: CALM_RPS, down: 0 }));
  if (loads === null) throw new Error('the clusters of the bench declare a capacity');
  return {
    name: `each cluster lost, ${places} places each`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) total += losses(loads).length;
      return total;
    },
  };
}

export const planSubject: MicroSubject = {
  name: 'plan',
  summary: 'the plan of 100 clusters and 1,000 services, and what the loss of each cluster would cost',
  cases: () => [
    planning('calm', { places: 10, rps: CALM_RPS, down: 0 }),
    planning('a cluster down at 85 %', { places: 10, rps: 85, down: 1 }),
    planning('ten down, a quarter refused', { places: 10, rps: 120, down: 10 }),
    planning('calm', { places: 100, rps: CALM_RPS, down: 0 }),
    losing(10),
  ],
};
