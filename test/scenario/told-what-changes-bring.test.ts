// What changes bring is told to the agent of a cluster that asks for it: a preview says so, a shift raises its autoscaler, the next step of a rollout
// is told before it comes, and what is taken back is put back. The agent is a real one; of its API server only the autoscaler is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runAgent } from '../../agent/run.ts';
import type { AgentView } from '../../balancer/controller/api/views.ts';
import { silentLog } from '../../balancer/log.ts';
import { type Appliance, startAppliance } from '../support/appliance.ts';
import { ObjectServer } from '../support/object-server.ts';
import { named, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { PLAIN_AGENT } from '../support/plain-agent.ts';
import { until } from '../support/until.ts';

const PATH = '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web';
const WAIT_MS = 30_000;

async function agentOf(appliance: Appliance): Promise<AgentView> {
  const { stdout } = await appliance.weir('get', 'agents', 'two', '-o', 'json');
  const { items } = JSON.parse(stdout) as { readonly items: readonly AgentView[] };
  return items[0] ?? assert.fail('the cluster has no agent');
}

test('the agent is told of a shift, of an undo, and of the next step of a rollout', async (t) => {
  const [one, two] = [await startOrigin(t, named('one')), await startOrigin(t, named('two'))];
  const yaml = `
agents: { bind: "127.0.0.1:0" }
clusters:
  one: { endpoints: ["${one.endpoint}"] }
  two: { endpoints: ["${two.endpoint}"], agent: { prescale: { ahead: 1m, for: 5m } } }
services:
  shop: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }, split: { blue: 100, green: 0 } }
routes: [{ service: shop }]
`;
  const appliance = await startAppliance(t, { yaml, workers: 1 });
  await using server = await ObjectServer.start();
  server.put(PATH, { metadata: { name: 'web' }, spec: { minReplicas: 2, maxReplicas: 1000 }, status: { currentReplicas: 2 } });
  const abort = new AbortController();
  const token = (await appliance.weir('agent', 'token', 'two')).stdout.trim();
  const target = { service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 1, most: null };
  const settings = { ...PLAIN_AGENT, hubs: [`ws://127.0.0.1:${appliance.port('agents')}`], cluster: 'two', token, prescale: [target] };
  const ended = runAgent(settings, { log: silentLog, request: server.request, signal: abort.signal });
  const load = new PacedLoad(t, appliance.url(), 50);
  t.after(async () => {
    await load.stop();
    abort.abort();
    await ended;
  });
  await until(async () => (await agentOf(appliance)).state === 'fresh', 'the agent reports', WAIT_MS);
  const rps = async (): Promise<number> => (await appliance.status()).services[0]?.traffic.rps ?? 0;
  await until(async () => (await rps()) > 20, 'requests come', WAIT_MS);

  const preview = await appliance.weir('shift', 'shop', 'green=50', '--dry-run');
  assert.match(preview.stdout, /the agent of two would be told to expect [\d.]+ requests\/s of shop, 0 now/);
  assert.equal((await agentOf(appliance)).wishes, undefined);
  assert.equal((await appliance.weir('shift', 'shop', 'green=50', '--yes')).code, 0);
  const minimum = (): number => Number(server.member(PATH, 'spec', 'minReplicas'));
  await until(() => minimum() > 5, 'the minimum is raised', WAIT_MS);
  assert.match((await agentOf(appliance)).wishes?.[0]?.text ?? '', /^expect \d+ requests\/s of shop \(revision 2 by /);
  assert.match((await appliance.weir('status')).stdout, /^the agent of two was told: expect \d+ requests\/s of shop .*, for [45]m/m);
  assert.equal((await appliance.weir('undo', '--yes')).code, 0);
  await until(() => minimum() === 2, 'the minimum is as it was', WAIT_MS);

  const start = [
    'canary',
    'start',
    'shop',
    '--to',
    'green',
    '--steps',
    '1,60',
    '--hold',
    '50s',
    '--min-requests',
    '0',
    '--detach',
    '--yes',
  ];
  const begun = await appliance.weir(...start);
  assert.equal(begun.code, 0, begun.stderr);
  await until(
    async () => (await agentOf(appliance)).wishes?.some(({ text }) => text.endsWith('(step 2 of the rollout of shop to green)')) ?? false,
    'the step is told before it comes',
    WAIT_MS,
  );
  await until(() => minimum() > 5, 'the minimum is raised', WAIT_MS);
  assert.equal((await appliance.weir('canary', 'abort', 'shop', '--yes')).code, 0);
  await until(() => minimum() === 2, 'the minimum is as it was', WAIT_MS);
  const said = (await appliance.events()).filter(({ code }) => code === 'agent.expected').map(({ text }) => text);
  assert.match(said.at(-1) ?? '', /requests\/s of shop are not expected in two any more/);
});
