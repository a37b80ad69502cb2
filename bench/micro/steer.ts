// Micro bench of steering: what choosing version and cluster costs a request, with the looks at plan, health and ejections around the split.
import { loadConfig } from '../../balancer/config/load.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import { ClusterUpstream } from '../../balancer/upstream/cluster-upstream.ts';
import { Evidence } from '../../balancer/worker/evidence.ts';
import { PinKey } from '../../balancer/steer/pins.ts';
import { ServiceSteering } from '../../balancer/worker/service-steering.ts';
import { systemClock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

/** A service of two versions in each of the clusters. */
function configText(clusters: number): string {
  const names = Array.from({ length: clusters }, (_, index) => `c${index}`);
  const places = names.map((name, index) => `${name}: { weight: ${index + 1} }`).join(', ');
  return `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters:
${names.map((name, index) => `  ${name}: { endpoints: ["http://127.0.0.1:${9001 + index}"] }`).join('\n')}
services:
  shop:
    versions: { blue: { clusters: { ${places} } }, green: { clusters: { ${places} } } }
    split: { blue: 99, green: 1 }
routes: [{ service: shop }]
`;
}

function steeringOf(clusters: number): ServiceSteering {
  const environment = { cores: 1, hostName: 'bench', readable: () => true };
  const loaded = loadConfig({ file: 'bench.yaml', text: configText(clusters) }, EXTENSIONS, environment);
  const service = loaded.ok ? loaded.config.services['shop'] : undefined;
  if (!loaded.ok || service === undefined) throw new Error('the config of the bench is not valid');
  const deadlines = new Deadlines(systemClock);
  const evidence = new Evidence({ report: () => undefined, countEjection: () => ({ add: () => undefined }) });
  const worker = {
    deadlines,
    random: Math.random,
    evidence,
    readFile: () => Buffer.alloc(0),
    countConnection: () => undefined,
    countQueued: () => undefined,
    workers: 1,
    meter: new Meter(),
    pinKey: new PinKey(),
    nowMs: () => 0,
    warn: () => undefined,
  };
  const configs = loaded.config.clusters;
  const upstreams = new Map(Object.values(configs).map((cluster) => [cluster.name, new ClusterUpstream(cluster, worker, null)]));
  return new ServiceSteering(service, { upstreams, configs }, worker, null);
}

const CLIENT = '192.0.2.1';

function choosing(clusters: number): MicroCase {
  const steering = steeringOf(clusters);
  return {
    name: `2 versions in ${clusters} cluster${clusters === 1 ? '' : 's'}`,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) total += steering.chooseConnection(CLIENT)?.index ?? 0;
      return total;
    },
  };
}

export const steer: MicroSubject = {
  name: 'steer',
  summary: 'choosing version and cluster of a request',
  cases: () => [choosing(1), choosing(3), choosing(12)],
};
