// What the demo consists of: three clusters far apart, one service in two versions, and the config file that says so.

/** One local cluster: an origin with the latency of its distance, and an agent that declares its capacity. */
export interface DemoCluster {
  readonly name: string;
  readonly region: string;
  readonly latencyMs: number;
  /** Requests per second, declared to the agent. */
  readonly capacityRps: number;
  /** Part of the stable version's traffic. */
  readonly blueWeight: number;
  /** Part of the new version's traffic; 0: it does not run here. */
  readonly greenWeight: number;
}

export const DEMO_CLUSTERS: readonly DemoCluster[] = [
  { name: 'eu-west', region: 'eu', latencyMs: 4, capacityRps: 600, blueWeight: 50, greenWeight: 50 },
  { name: 'us-east', region: 'us', latencyMs: 20, capacityRps: 400, blueWeight: 30, greenWeight: 50 },
  { name: 'ap-south', region: 'ap', latencyMs: 45, capacityRps: 300, blueWeight: 20, greenWeight: 0 },
];

export const DEMO_SERVICE = 'demo';
/** Of the balancer, in processes. */
export const DEMO_WORKERS = 2;

/** The origins tell versions apart by the Host field that the placement sets. */
const HOST_SUFFIX = '.demo.internal';

export function hostOfVersion(version: string): string {
  return `${version}${HOST_SUFFIX}`;
}

/** The version a Host field stands for; null: none of ours. */
export function versionOfHost(host: string): string | null {
  const name = host.replace(/:\d+$/, '');
  return name.endsWith(HOST_SUFFIX) ? name.slice(0, -HOST_SUFFIX.length) : null;
}

export interface DemoPorts {
  readonly listener: number;
  readonly admin: number;
  readonly agents: number;
  readonly metrics: number;
}

/** Names of clusters → the port their origin listens on. */
export type OriginPorts = ReadonlyMap<string, number>;

function clusterLines(cluster: DemoCluster, port: number): string {
  return `  ${cluster.name}:
    region: ${cluster.region}
    endpoints: ["http://127.0.0.1:${port}"]
    health: { http: { path: /healthz }, interval: 500ms, timeout: 400ms, rise: 2, fall: 2 }
`;
}

function placements(version: string, weightOf: (cluster: DemoCluster) => number): string {
  const places = DEMO_CLUSTERS.filter((cluster) => weightOf(cluster) > 0).map(
    (cluster) => `          ${cluster.name}: { weight: ${weightOf(cluster)}, host: ${hostOfVersion(version)} }\n`,
  );
  return `      ${version}:\n        clusters:\n${places.join('')}`;
}

/** The demo's weir.yaml: written to be read by somebody who tries weir for the first time. */
export function demoConfig(ports: DemoPorts, origins: OriginPorts, stateDir: string): string {
  const clusters = DEMO_CLUSTERS.map((cluster) => clusterLines(cluster, origins.get(cluster.name) ?? 0)).join('');
  return `# Written by \`weir demo\`; gone when the demo ends.
version: 1
host: { name: demo-edge }
state: { dir: ${JSON.stringify(stateDir)} }
workers: ${DEMO_WORKERS}
drainDeadline: 2s
listeners:
  # Fewer than by default, so that the machine at hand has enough open files for them.
  web: { bind: "127.0.0.1:${ports.listener}", limits: { connections: 4000 } }
admin: { bind: "127.0.0.1:${ports.admin}" }
agents: { bind: "127.0.0.1:${ports.agents}" }
metrics: { bind: "127.0.0.1:${ports.metrics}" }
clusters:
${clusters}services:
  ${DEMO_SERVICE}:
    versions:
${placements('blue', (cluster) => cluster.blueWeight)}${placements('green', (cluster) => cluster.greenWeight)}    split: { blue: 90, green: 10 }
routes:
  - name: ${DEMO_SERVICE}
    match: { path: / }
    service: ${DEMO_SERVICE}
    filters: [ { requestId: {} } ]
`;
}
