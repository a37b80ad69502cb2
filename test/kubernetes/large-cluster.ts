// What an agent costs in a large cluster, and how long a change takes to the plan of the edge: 5,000 pods, 500 nodes, 2,000 slices, 50 events a second.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startAppliance } from '../support/appliance.ts';
import { WEIR } from '../support/command.ts';
import { ADMIN_TOKEN, startKube, type KubeApiServer } from '../support/kube-api-server.ts';
import { makeNamespace, PATHS, serviceObject, sliceObject } from '../support/kube-objects.ts';
import { inParallel, largeSlice, makeLargeCluster } from '../support/large-cluster.ts';
import { until } from '../support/until.ts';

const SIZE = { nodes: 500, pods: 5000, slices: 2000 };
const SERVICES = SIZE.slices / 10;
const EACH = Math.floor(SIZE.pods / SIZE.slices);
const EVENTS_PER_SECOND = 50;
const SECONDS = Number(process.env['WEIR_KUBE_SECONDS'] ?? 30);

let kube: KubeApiServer;
const ends: (() => unknown)[] = [];

before(async () => {
  kube = await startKube({ after: (end) => void ends.push(end as () => unknown) });
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

function kubeconfig(): string {
  const file = join(kube.directory, 'kubeconfig');
  writeFileSync(
    file,
    `current-context: test
clusters: [{ name: test, cluster: { server: "${kube.url}", certificate-authority: weir-test-authority.crt } }]
users: [{ name: test, user: { token: ${ADMIN_TOKEN} } }]
contexts: [{ name: test, context: { cluster: test, user: test } }]
`,
  );
  return file;
}

interface Started {
  readonly process: ChildProcess;
  readonly pid: number;
}

function startAgent(
  t: { after(end: () => unknown): void },
  { hub, token, config }: { readonly hub: string; readonly token: string; readonly config: string },
): Started {
  const file = join(kube.directory, `agent-${Math.random()}.yaml`);
  writeFileSync(file, config);
  const words = ['agent', 'run', '--hub', hub, '--cluster', 'eu', '--config', file, '--kubeconfig', kubeconfig()];
  const child = spawn(process.execPath, [WEIR, ...words], {
    env: { ...process.env, WEIR_AGENT_TOKEN: token },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return { process: child, pid: child.pid ?? 0 };
}

/** CPU time of a process so far, in ms; the clock of Linux ticks a hundred times a second. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function rssMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

const EDGE = `agents: { bind: "127.0.0.1:0" }
clusters: { eu: { endpoints: { agent: { scheme: http, within: [10.0.0.0/8] } }, health: none } }
services: { shop: { versions: { blue: { clusters: { eu: {} } } } } }
routes: [{ service: shop }]
`;

test('a change of ready endpoints is in the plan of the edge within a second and a half', async (t) => {
  await makeNamespace(kube, 'gate');
  const slices = '/apis/discovery.k8s.io/v1/namespaces/gate/endpointslices';
  await kube.ask(
    'POST',
    '/api/v1/namespaces/gate/services',
    serviceObject({ namespace: 'gate', name: 'web', ports: [{ name: 'http', port: 80 }] }),
  );
  const slice = (addresses: readonly string[]): object =>
    sliceObject({ namespace: 'gate', service: 'web', portName: 'http', endpoints: addresses.map((address) => ({ address, ready: true })) });
  await kube.ask('POST', slices, slice(['10.1.0.1']));
  const appliance = await startAppliance(t, { yaml: EDGE, workers: 1 });
  const token = (await appliance.weir('agent', 'token', 'eu')).stdout.trim();
  startAgent(t, { hub: `ws://127.0.0.1:${appliance.port('agents')}`, token, config: 'gateways: [{ service: gate/web, addresses: pod }]' });
  const endpoints = async (): Promise<number> => (await appliance.status()).clusters[0]?.endpoints.length ?? 0;
  await until(async () => (await endpoints()) === 1, 'the first endpoint is in the plan', 30_000);
  const tookMs: number[] = [];
  for (let n = 2; n <= 16; n += 1) {
    // At another point of the period of reports each time.
    await delay(100 + 137 * (n % 7));
    const changedAtMs = performance.now();
    await kube.ask('PUT', `${slices}/web-1`, slice(Array.from({ length: n }, (_, m) => `10.1.0.${m + 1}`)));
    await until(async () => (await endpoints()) === n, `${n} endpoints are in the plan`, 10_000);
    tookMs.push(performance.now() - changedAtMs);
  }
  tookMs.sort((a, b) => a - b);
  const [median = 0, worst = 0] = [tookMs[7], tookMs.at(-1)];
  t.diagnostic(`from the change to the plan: ${Math.round(median)} ms in the middle, ${Math.round(worst)} ms at worst`);
  assert.ok(worst <= 1500, `${worst} ms`);
});

test('an agent of a large cluster is small and quiet', async (t) => {
  await makeLargeCluster(kube, SIZE);
  const appliance = await startAppliance(t, { yaml: EDGE, workers: 1 });
  const token = (await appliance.weir('agent', 'token', 'eu')).stdout.trim();
  // Every Service is named, so that no slice is left out.
  const services = Array.from({ length: SERVICES }, (_, n) => `  s${n}: { service: shop/web-${n}, port: http, ratePerEndpoint: 10 }`).join(
    '\n',
  );
  const { pid } = startAgent(t, { hub: `ws://127.0.0.1:${appliance.port('agents')}`, token, config: `services:\n${services}\n` });
  const capacity = async (): Promise<number | null> => (await appliance.status()).clusters[0]?.agent.capacityRps ?? null;
  await until(async () => (await capacity()) === SIZE.slices * EACH * 10, 'the agent tells of every endpoint', 60_000);
  await delay(5000);
  const quietFromMs = cpuMs(pid);
  await delay(10_000);
  const quiet = (cpuMs(pid) - quietFromMs) / 10_000;
  const [fromMs, startedAtMs] = [cpuMs(pid), performance.now()];
  let events = 0;
  let mostMib = 0;
  while (performance.now() - startedAtMs < SECONDS * 1000) {
    const batch = events;
    await inParallel(10, (n) => change(batch + n));
    events += 10;
    mostMib = Math.max(mostMib, rssMib(pid));
    await delay(Math.max(0, startedAtMs + (events / EVENTS_PER_SECOND) * 1000 - performance.now()));
  }
  const took = performance.now() - startedAtMs;
  const cpu = (cpuMs(pid) - fromMs) / took;
  t.diagnostic(
    `${Math.round(mostMib)} MiB; ${(cpu * 100).toFixed(1)} % of a core at ${Math.round((events / took) * 1000)} events/s, ${(quiet * 100).toFixed(1)} % at none`,
  );
  assert.ok(mostMib <= 120, `${mostMib} MiB`);
  assert.ok(cpu <= 0.05, `${cpu} of a core`);
});

/** Of every five: two pods, two slices, a node's heartbeat. */
function change(n: number): Promise<unknown> {
  const turn = n % 5;
  if (turn < 2) return kube.ask('PATCH', `${PATHS.pods}/web-${(n * 7) % SIZE.pods}`, { metadata: { annotations: { turn: String(n) } } });
  if (turn < 4) {
    const slice = (n * 3) % SIZE.slices;
    return kube.ask('PUT', `${PATHS.slices}/slice-${slice}`, largeSlice(slice, SERVICES, EACH, n % 2 === 0));
  }
  return kube.ask('PATCH', `${PATHS.nodes}/n${n % SIZE.nodes}`, { metadata: { annotations: { heartbeat: String(n) } } });
}
