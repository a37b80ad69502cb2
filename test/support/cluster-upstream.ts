// A cluster as a worker reaches it, on virtual time and with seeded chance; nothing is connected until a test asks for it.
import { loadConfig } from '../../balancer/config/load.ts';
import { formatProblem } from '../../balancer/config/problems.ts';
import type { ClusterConfig } from '../../balancer/config/config.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { ClusterUpstream } from '../../balancer/upstream/cluster-upstream.ts';
import type { Endpoint } from '../../balancer/upstream/endpoint.ts';
import { Deadlines } from '../../health/deadlines.ts';
import type { Random } from '../../health/clock.ts';
import { TEST_ENVIRONMENT } from './config-text.ts';
import { ManualClock } from './manual-clock.ts';
import { seededRandom } from './seeded-random.ts';

export interface UpstreamBench {
  readonly clock: ManualClock;
  readonly deadlines: Deadlines;
  /** What became of requests above a limit, in order. */
  readonly queued: readonly string[];
  /** A cluster with these endpoints, or with what the plan names; `yaml` is what else its config says. */
  make(ports: readonly number[] | 'agent', yaml?: string, previous?: ClusterUpstream): ClusterUpstream;
}

export function upstreamBench(random: Random = seededRandom(1), workers = 1): UpstreamBench {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const queued: string[] = [];
  const environment = {
    deadlines,
    random,
    workers,
    readFile: () => Buffer.alloc(0),
    nowMs: () => clock.nowMs(),
    warn: () => undefined,
    countConnection: () => undefined,
    countQueued: (_cluster: string, outcome: string) => void queued.push(outcome),
  };
  const make = (ports: readonly number[] | 'agent', yaml = '', previous: ClusterUpstream | null = null): ClusterUpstream =>
    new ClusterUpstream(clusterConfig(ports, yaml), environment, previous);
  return { clock, deadlines, queued, make };
}

/** Says which ports of the cluster are down. */
export function setDown(cluster: ClusterUpstream, ...ports: readonly number[]): void {
  const down = ports.map((port) => ({ endpoint: `127.0.0.1:${port}`, state: 'down' as const }));
  cluster.applyHealth({ state: 'degraded', endpoints: down });
}

export const portOf = (endpoint: Endpoint | null): number => Number(endpoint?.id.split(':')[1] ?? 0);

/** A request of this client, without fields. */
export const from = (clientAddress: string) => ({ fields: [], query: '', clientAddress });

function clusterConfig(ports: readonly number[] | 'agent', yaml: string): ClusterConfig {
  const listed = ports === 'agent' ? null : ports.map((port) => `"http://127.0.0.1:${port}"`).join(', ');
  const endpoints = listed === null ? '{ agent: { scheme: http, within: [127.0.0.0/8] } }' : `[${listed}]`;
  const text = `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters:
  one: { endpoints: ${endpoints}${yaml === '' ? '' : `, ${yaml}`} }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
`;
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  const cluster = result.config.clusters['one'];
  if (cluster === undefined) throw new Error('the config has no cluster one');
  return cluster;
}
