// Micro bench of the endpoint: what one pick costs by policy and number of endpoints, health and slow start looked at.
import { loadConfig } from '../../balancer/config/load.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { ClusterUpstream } from '../../balancer/upstream/cluster-upstream.ts';
import { BALANCES } from '../../balancer/upstream/policies/registry.ts';
import { systemClock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const NONE: readonly never[] = [];
const CLIENTS = Array.from({ length: 256 }, (_, client) => ({ fields: [], query: '', clientAddress: `198.51.100.${client}` }));

function upstreamOf(balance: string, endpoints: number): ClusterUpstream {
  const urls = Array.from({ length: endpoints }, (_, index) => `"http://10.0.${Math.floor(index / 250)}.${1 + (index % 250)}"`);
  const text = `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: [${urls.join(', ')}], balance: ${balance} } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
`;
  const loaded = loadConfig({ file: 'bench.yaml', text }, EXTENSIONS, { cores: 1, hostName: 'bench', readable: () => true });
  const cluster = loaded.ok ? loaded.config.clusters['one'] : undefined;
  if (cluster === undefined) throw new Error('the config of the bench is not valid');
  const environment = {
    deadlines: new Deadlines(systemClock),
    random: Math.random,
    workers: 1,
    readFile: () => Buffer.alloc(0),
    nowMs: () => 0,
    warn: () => undefined,
    countConnection: () => undefined,
    countQueued: () => undefined,
  };
  return new ClusterUpstream(cluster, environment, null);
}

function picking(balance: string, endpoints: number): MicroCase {
  const cluster = upstreamOf(balance, endpoints);
  const fallback = { fields: [], query: '', clientAddress: '' };
  return {
    name: `${balance}, ${endpoints} endpoints`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) total += cluster.pick(NONE, CLIENTS[turn & 255] ?? fallback)?.seed ?? 0;
      return total;
    },
  };
}

export const pick: MicroSubject = {
  name: 'pick',
  summary: 'choosing the endpoint of a request',
  cases: () => [...BALANCES.map(({ name }) => picking(name, 8)), picking('consistent-hash', 100)],
};
