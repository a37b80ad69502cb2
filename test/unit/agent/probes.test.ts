// What a kubelet is told of an agent (/livez, /readyz), as the probes of its manifest ask it: alive while its work goes on, ready when a hub takes its
// reports or another agent leads; and the same of the program as a process, from before there is a hub until it is told to stop.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { objectsOf } from '../../../agent/deploy/manifest.ts';
import { runAgent, type AgentDependencies, type AgentSettings } from '../../../agent/run.ts';
import { silentLog } from '../../../balancer/log.ts';
import { type Clock, systemClock } from '../../../health/clock.ts';
import { WEIR } from '../../support/command.ts';
import { freePort } from '../../support/free-port.ts';
import { HubBench } from '../../support/hub-bench.ts';
import { ObjectServer } from '../../support/object-server.ts';
import { PLAIN_AGENT } from '../../support/plain-agent.ts';
import { until } from '../../support/until.ts';

const MEASURED = { cpuUtilisation: 0.25, memoryUtilisation: 0.5, cores: 4, loadAverage1m: 1.5 };
const WAIT_MS = 20_000;

/** The system's clock, which a test can put forward. */
class LeapingClock implements Clock {
  aheadMs = 0;
  readonly wallMs = (): number => systemClock.wallMs();
  readonly after: Clock['after'] = (...asked) => systemClock.after(...asked);
  readonly nowMs = (): number => systemClock.nowMs() + this.aheadMs;
}

class Probed {
  readonly port: number;
  readonly clock = new LeapingClock();

  constructor(port: number) {
    this.port = port;
  }

  /** `503 no hub takes the reports` */
  async ask(path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return `${response.status} ${(await response.text()).trim()}`;
  }

  /** Both at once: a kubelet asks them apart, and one must not stand in for the other. */
  async both(): Promise<readonly string[]> {
    return [await this.ask('/livez'), await this.ask('/readyz')];
  }

  async until(path: string, said: string): Promise<void> {
    await until(async () => (await this.ask(path).catch(String)) === said, `${path} says ${said}`, WAIT_MS);
  }
}

/** A real agent in this process, until the test ends. */
async function startAgent(
  t: TestContext,
  hub: string,
  settings: Partial<AgentSettings> = {},
  given: Partial<AgentDependencies> = {},
): Promise<Probed> {
  const probed = new Probed(await freePort());
  const abort = new AbortController();
  const health = { host: '127.0.0.1', port: probed.port };
  const ended = runAgent(
    { ...PLAIN_AGENT, hubs: [hub], periodMs: 100, health, ...settings },
    { log: silentLog, clock: probed.clock, measure: () => Promise.resolve(MEASURED), signal: abort.signal, ...given },
  );
  t.after(async () => {
    abort.abort();
    await ended;
  });
  await until(
    () =>
      probed.ask('/livez').then(
        () => true,
        () => false,
      ),
    'it answers probes',
    WAIT_MS,
  );
  return probed;
}

const NO_HUB = '503 no hub takes the reports';
const OK = '200 ok';

/** Takes connections and says nothing. */
async function startSilentHub(t: TestContext): Promise<string> {
  const server: Server = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

describe('an agent', () => {
  test('is alive and not ready while no hub can be reached, takes its token or greets', async (t) => {
    await using bench = await HubBench.start();
    const hub = `ws://127.0.0.1:${bench.port}`;
    const gone = `ws://127.0.0.1:${await freePort()}`;
    const agents = [
      await startAgent(t, gone),
      await startAgent(t, hub, { token: 'weir_us' }),
      await startAgent(t, await startSilentHub(t)),
    ];
    await until(() => Object.keys(bench.counts).length > 0, 'one was refused');
    for (const agent of agents) assert.deepEqual(await agent.both(), [OK, NO_HUB]);
  });

  test('is ready when a hub has taken a report, and not before', async (t) => {
    await using bench = await HubBench.start();
    const gate = Promise.withResolvers<undefined>();
    let measured = 0;
    const measure = async (): Promise<typeof MEASURED> => {
      measured += 1;
      // The first is thrown away.
      if (measured > 1) await gate.promise;
      return MEASURED;
    };
    const said: string[] = [];
    const log = { ...silentLog, info: (_: object, text: string) => void said.push(text) };
    const agent = await startAgent(t, `ws://127.0.0.1:${bench.port}`, {}, { measure, log });
    await until(() => said.includes('connected to the hub'), 'the hub has greeted', WAIT_MS);
    assert.deepEqual(await agent.both(), [OK, NO_HUB]);
    gate.resolve(undefined);
    await agent.until('/readyz', OK);
    assert.equal(bench.agent('eu').state, 'fresh');
  });

  test('of which a hub refuses every report is not ready', async (t) => {
    await using bench = await HubBench.start();
    const wrong = { ...MEASURED, cpuUtilisation: -1 };
    const agent = await startAgent(t, `ws://127.0.0.1:${bench.port}`, {}, { measure: () => Promise.resolve(wrong) });
    await until(() => bench.count('eu rejected') > 2, 'reports are refused', WAIT_MS);
    assert.deepEqual(await agent.both(), [OK, NO_HUB]);
  });

  test('is ready for a while when its hub goes, then not, and again when it is back', async (t) => {
    const bench = await HubBench.start();
    const { port } = bench;
    const agent = await startAgent(t, `ws://127.0.0.1:${port}`);
    await agent.until('/readyz', OK);
    await bench[Symbol.asyncDispose]();
    agent.clock.aheadMs += 25_000;
    assert.deepEqual(await agent.both(), [OK, OK], 'a hub that is restarted is no reason to end an agent');
    agent.clock.aheadMs += 6000;
    assert.deepEqual(await agent.both(), [OK, NO_HUB]);
    await using again = new HubBench({ bind: { host: '127.0.0.1', port } });
    await again.hub.start();
    await agent.until('/readyz', OK);
  });

  test('that makes no report for two minutes, with a hub that would take one, stands still', async (t) => {
    await using bench = await HubBench.start();
    let hangs = false;
    const never = new Promise<never>(() => undefined);
    const agent = await startAgent(t, `ws://127.0.0.1:${bench.port}`, {}, { measure: () => (hangs ? never : Promise.resolve(MEASURED)) });
    await agent.until('/readyz', OK);
    hangs = true;
    agent.clock.aheadMs += 100_000;
    assert.equal(await agent.ask('/livez'), OK);
    agent.clock.aheadMs += 25_000;
    assert.deepEqual(await agent.both(), ['503 the agent stands still', NO_HUB]);
    assert.equal(await agent.ask('/metrics'), '404 not found');
  });

  test('that waits for another one is ready as soon as the API server says who leads', async (t) => {
    await using server = await ObjectServer.start();
    await using bench = await HubBench.start();
    const path = '/apis/coordination.k8s.io/v1/namespaces/weir/leases/weir-agent';
    const spec = { holderIdentity: 'another', leaseDurationSeconds: 3600, leaseTransitions: 1 };
    server.put(path, { metadata: { name: 'weir-agent', namespace: 'weir' }, spec });
    server.trouble = 500;
    const lease = { namespace: 'weir', name: 'weir-agent', identity: 'this' };
    const agent = await startAgent(t, `ws://127.0.0.1:${bench.port}`, { lease }, { request: server.request });
    await until(() => server.calls.length > 0, 'it has asked', WAIT_MS);
    assert.deepEqual(await agent.both(), [OK, '503 the API server does not say who leads']);
    server.trouble = 'none';
    await agent.until('/readyz', OK);
    assert.equal(bench.agent('eu').connected, false, 'and it connects to nobody');
  });

  test('does not start where the address for probes is taken, and says so', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const address = taken.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const said: string[] = [];
    const log = { ...silentLog, error: (_: object, text: string) => void said.push(text) };
    const settings = { ...PLAIN_AGENT, hubs: ['ws://127.0.0.1:1'], health: { host: '127.0.0.1', port } };
    assert.equal(await runAgent(settings, { log, measure: () => Promise.resolve(MEASURED), signal: new AbortController().signal }), 1);
    assert.match(said.join(), /^probes cannot be answered at --health: .*EADDRINUSE/);
  });
});

test('the probes of the manifest ask for pages that there are, where the agent is told to answer', async (t) => {
  const settings = { cluster: 'eu', hubs: ['wss://edge.example:7071'], namespace: 'weir', image: 'agent', replicas: 2 };
  const objects = objectsOf({ ...settings, tokenSecret: 'token', certificateSecret: null, ca: null, config: null, prescale: [] });
  const text = JSON.stringify(objects.find(({ kind }) => kind === 'Deployment'));
  const { spec } = JSON.parse(text) as { spec: { template: { spec: { containers: readonly Container[] } } } };
  const [container = assert.fail()] = spec.template.spec.containers;
  const { startupProbe, livenessProbe, readinessProbe, ports, args } = container;
  const [port = assert.fail()] = ports;
  assert.equal(args[args.indexOf('--health') + 1], `0.0.0.0:${port.containerPort}`);
  const agent = await startAgent(t, 'ws://127.0.0.1:1');
  const answers = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => {
    assert.equal(httpGet.port, port.name);
    return agent.ask(httpGet.path);
  });
  // A kubelet starts to ask the others when the first is answered, whether there is a hub or not.
  assert.deepEqual(await Promise.all(answers), [OK, OK, NO_HUB]);
});

interface Container {
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly args: readonly string[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

test('the program answers from its start, is ready when a hub comes up, and ends in order', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-probes-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'weir_eu\n');
  const [probes, hub] = [await freePort(), await freePort()];
  const words = ['agent', 'run', '--cluster', 'eu', '--hub', `ws://127.0.0.1:${hub}`, '--token-file', tokenFile];
  const child = spawn(process.execPath, [WEIR, ...words, '--health', `127.0.0.1:${probes}`], { stdio: 'ignore' });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const agent = new Probed(probes);
  await agent.until('/livez', OK);
  assert.equal(await agent.ask('/readyz'), NO_HUB);
  await using bench = new HubBench({ bind: { host: '127.0.0.1', port: hub } });
  await bench.hub.start();
  await agent.until('/readyz', OK);
  assert.equal(bench.agent('eu').state, 'fresh');
  child.kill('SIGTERM');
  await ended;
  assert.equal(child.exitCode, 0);
  await assert.rejects(agent.ask('/livez'));
});
