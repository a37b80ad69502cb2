// A cluster whose endpoints its agent tells of: requests go where it says and probes agree, and nothing it says takes the last one away.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { named, startOrigin, type Origin } from '../support/origin.ts';
import { startTelling } from '../support/telling-agent.ts';
import { until } from '../support/until.ts';

const endpointOf = ({ port }: Origin): { readonly host: string; readonly port: number } => ({ host: '127.0.0.1', port });

async function startEdge(t: TestContext): Promise<Appliance> {
  const yaml = `agents: { bind: "127.0.0.1:0" }
clusters:
  eu:
    endpoints: { agent: { scheme: http, within: [127.0.0.0/8] } }
    health: { http: { path: /healthz }, interval: 200ms, timeout: 5s }
    # Who answers a few requests shows who is asked; by latency a slow first answer would keep one away for seconds.
    balance: round-robin
services: { shop: { versions: { blue: { clusters: { eu: {} } } } } }
routes: [{ service: shop }]
`;
  return startAppliance(t, { yaml });
}

/** Who answers a few requests, or the statuses where nobody does. */
async function answering(appliance: Appliance): Promise<string> {
  const answers = await Promise.all(Array.from({ length: 12 }, () => appliance.get('/')));
  return [...new Set(answers.map(({ status, body }) => (status === 200 ? body : String(status))))].sort().join(' ');
}

const untilAnswered = (appliance: Appliance, by: string): Promise<void> =>
  until(async () => (await answering(appliance)) === by, `${by} answer`, 20_000);

test('endpoints come, drain, go and stay when the agent names none, also over a restart of the controller', async (t) => {
  const [one, two] = [await startOrigin(t, named('one')), await startOrigin(t, named('two'))];
  const appliance = await startEdge(t);
  assert.equal(await answering(appliance), '503');
  const agent = await startTelling(t, appliance, 'eu');

  assert.equal(await agent.tell({ endpoints: { fresh: true, list: [endpointOf(one)] } }), true);
  await untilAnswered(appliance, 'one');
  await agent.tell({ endpoints: { fresh: true, list: [endpointOf(one), endpointOf(two)] } });
  await untilAnswered(appliance, 'one two');
  await agent.tell({ endpoints: { fresh: true, list: [{ ...endpointOf(one), draining: true }, endpointOf(two)] } });
  await untilAnswered(appliance, 'two');
  await until(async () => (await appliance.status()).clusters[0]?.health === 'up', 'one that leaves is no failure');
  await agent.tell({ endpoints: { fresh: true, list: [endpointOf(two)] } });
  await until(async () => (await appliance.status()).clusters[0]?.endpoints.length === 1, 'the endpoint is gone');

  await agent.tell({ endpoints: { fresh: true, list: [] } });
  const events = async (): Promise<string> => (await appliance.events()).map(({ text }) => text).join('\n');
  await until(async () => (await events()).includes('names no endpoint any more; the 1 that are known are held'), 'it is told');
  await until(async () => (await appliance.metricSum('weir_endpoints_held', { cluster: 'eu' })) === 1, 'it is a metric');
  assert.equal(await answering(appliance), 'two');

  const { controller } = appliance.pids();
  process.kill(controller, 'SIGKILL');
  await until(() => ![0, controller].includes(appliance.pids().controller), 'there is another controller', 20_000);
  assert.equal(await answering(appliance), 'two', 'workers serve on');
  await until(
    async () => (await appliance.status().catch(() => null))?.clusters[0]?.health === 'up',
    'the new one knows the endpoint',
    20_000,
  );
  assert.equal(await answering(appliance), 'two');
});

test('an endpoint that does not answer gets nothing, whatever the agent says of it, and neither does one outside of the networks of the config', async (t) => {
  const [one, gone] = [await startOrigin(t, named('one')), await startOrigin(t, named('gone'))];
  const appliance = await startEdge(t);
  const agent = await startTelling(t, appliance, 'eu');
  await gone.kill();
  await agent.tell({ endpoints: { fresh: true, list: [endpointOf(one), endpointOf(gone), { host: '192.0.2.1', port: 80 }] } });
  await untilAnswered(appliance, 'one');
  const [cluster] = (await appliance.status()).clusters;
  assert.deepEqual(cluster?.endpoints.map(({ id }) => id).sort(), [`127.0.0.1:${one.port}`, `127.0.0.1:${gone.port}`].sort());
  assert.match((await appliance.events()).map(({ text }) => text).join('\n'), /endpoints that are not believed: 192\.0\.2\.1:80/);
});
