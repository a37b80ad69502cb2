// The agent while its API server dies, comes back, freezes and loses etcd: what is known stays and is marked, nothing is missed, and coming back makes no
// storm. Real faults of a real server; watches that cannot be provoked there are tried against a stand-in in test/unit/agent/kubernetes/.
import assert from 'node:assert/strict';
import { before, after, test, type TestContext } from 'node:test';
import type { ClusterSource } from '../../agent/cluster-source.ts';
import { HttpApi } from '../../agent/kubernetes/http-api.ts';
import { watch, type WatchEnd } from '../../agent/kubernetes/watch.ts';
import { systemClock } from '../../health/clock.ts';
import { startKube, type KubeApiServer } from '../support/kube-api-server.ts';
import { readCluster, tokenCredentials } from '../support/kube-agent.ts';
import { makeNamespace, nodeObject, PATHS, podObject, serviceObject, sliceObject } from '../support/kube-objects.ts';
import { until } from '../support/until.ts';

let kube: KubeApiServer;
const ends: (() => unknown)[] = [];
/** Beyond the longest wait between two attempts while the server is away, and what it takes to start. */
const BACK_MS = 60_000;

before(async () => {
  kube = await startKube({ after: (end) => void ends.push(end as () => unknown) });
  await makeNamespace(kube);
  await kube.ask('POST', PATHS.nodes, nodeObject({ name: 'n1', address: '10.0.0.1' }));
  await kube.ask('POST', PATHS.pods, podObject({ name: 'web-1', node: 'n1', deployment: 'web' }));
  await kube.ask('POST', PATHS.services, serviceObject({ name: 'web', ports: [{ name: 'http', port: 80 }] }));
  await kube.ask(
    'POST',
    PATHS.slices,
    sliceObject({ service: 'web', portName: 'http', endpoints: [{ address: '10.1.0.1', pod: 'web-1' }] }),
  );
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

let nodes = 1;

/** Another node is seen within the time. */
async function seesChange(source: ClusterSource, withinMs = 10_000): Promise<void> {
  nodes += 1;
  await kube.ask('POST', PATHS.nodes, nodeObject({ name: `n${nodes}` }));
  await until(() => source.figures().nodes.total === nodes, `node ${nodes} is seen`, withinMs);
}

function listsOf(source: ClusterSource): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(source.view.counts()).map(([kind, { lists }]) => [kind, lists]));
}

const isFresh = (source: ClusterSource): boolean => source.figures().endpoints?.fresh === true;

test('a server that is killed and comes back: what was known is kept and marked, and each kind is listed twice at most', async (t) => {
  const source = await readCluster(t, kube);
  await until(() => source.view.controlPlane() === 'ready', 'it is ready');
  for (let restart = 1; restart <= 3; restart += 1) {
    const before = listsOf(source);
    await kube.kill();
    await until(() => !isFresh(source), 'the agent notices');
    assert.deepEqual(source.figures().endpoints?.list, [{ host: '10.1.0.1', port: 8080 }]);
    assert.equal(source.figures().services[0]?.report.capacityRps, 50);
    // Each kind has a connection of its own, and they notice one after the other.
    await until(() => source.sources().endpointSlices?.state === 'stale', 'the slices are marked');
    await until(() => source.view.controlPlane() === 'away', 'the server is marked');
    await kube.start();
    await until(
      () => Object.values(source.problems()).every((problem) => problem.includes('404')),
      'every kind is followed again',
      BACK_MS,
    );
    assert.equal(isFresh(source), true);
    await seesChange(source);
    for (const [kind, lists] of Object.entries(listsOf(source)))
      assert.ok(lists - (before[kind] ?? 0) <= 2, `${kind} was listed ${lists - (before[kind] ?? 0)} times after restart ${restart}`);
  }
});

test('a server without its etcd is degraded, and a change made after it is back is seen', async (t) => {
  const source = await readCluster(t, kube);
  await until(() => source.view.controlPlane() === 'ready', 'it is ready');
  await kube.killEtcd();
  await until(() => source.view.controlPlane() !== 'ready', 'the server says that it is not well', 40_000);
  assert.equal(source.figures().services[0]?.report.capacityRps, 50);
  await kube.startEtcd();
  await until(() => source.view.controlPlane() === 'ready', 'it is well again', BACK_MS);
  await seesChange(source, BACK_MS);
});

test('a server that freezes is noticed within a minute, though its connections stay, and what it says when it wakes is taken', async (t) => {
  const source = await readCluster(t, kube);
  const frozenAtMs = performance.now();
  kube.freeze();
  t.after(() => kube.thaw());
  const slices = (): string => source.sources().endpointSlices?.state ?? '';
  await until(() => slices() === 'stale', 'the watch of slices is known to be silent', 61_000);
  const tookMs = performance.now() - frozenAtMs;
  t.diagnostic(`a frozen server was noticed after ${Math.round(tookMs / 100) / 10} s`);
  assert.ok(tookMs <= 60_000, String(tookMs));
  assert.equal(source.figures().services[0]?.report.capacityRps, 50);
  kube.thaw();
  await until(() => isFresh(source), 'it is fresh again', BACK_MS);
  await seesChange(source, BACK_MS);
});

/** How a watch from a version ends. */
function watchFrom(t: TestContext, resourceVersion: string): Promise<WatchEnd> {
  const api = new HttpApi(new URL(kube.url), tokenCredentials(kube), systemClock);
  t.after(() => api.close());
  return new Promise((resolve) => {
    const nothing = (): void => undefined;
    watch(
      { api, path: PATHS.nodes, resourceVersion },
      { clock: systemClock, random: Math.random },
      { onOpen: nothing, onVersion: nothing, onChange: nothing, onGone: nothing, onEnd: resolve },
    );
  });
}

test('a version that the server has forgotten is told as such, so that all is listed anew', async (t) => {
  assert.deepEqual(await watchFrom(t, '1'), { kind: 'expired' });
});

test('a watch over its whole time ends in order, with a bookmark that later ones begin from', async (t) => {
  const source = await readCluster(t, kube);
  const { watches } = source.view.counts()['nodes'] ?? { watches: 0 };
  await until(() => (source.view.counts()['nodes']?.watches ?? 0) > watches, 'the next watch has begun', 60_000);
  await seesChange(source);
  assert.equal(source.view.counts()['nodes']?.lists, 1, 'and nothing was listed for it');
});
