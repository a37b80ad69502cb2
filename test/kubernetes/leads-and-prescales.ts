// What an agent writes, against a real API server with exactly the rights of its roles: the Lease by which one of several speaks, and autoscalers that are
// raised ahead of traffic and put back. Nobody runs the replicas that an autoscaler asks for, so the test writes how many there are.
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import { HttpApi } from '../../agent/kubernetes/http-api.ts';
import { LEASE_MS, LeaseElection } from '../../agent/kubernetes/lease.ts';
import { rulesOf } from '../../agent/kubernetes/permissions.ts';
import { RAISED_ANNOTATION } from '../../agent/kubernetes/prescale.ts';
import { memberOf, type KubernetesRequest } from '../../agent/kubernetes/request.ts';
import { WishList } from '../../balancer/controller/hub/wish-list.ts';
import { silentLog } from '../../balancer/log.ts';
import { systemClock } from '../../health/clock.ts';
import { HubBench } from '../support/hub-bench.ts';
import { startKube, type KubeApiServer } from '../support/kube-api-server.ts';
import { tokenCredentials } from '../support/kube-agent.ts';
import { makeAutoscaler, makeNamespace, PATHS } from '../support/kube-objects.ts';
import { until } from '../support/until.ts';

const LEASE = 'weir-agent';
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/shop/leases';
const TARGET = { service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 50, most: null };
const ends: (() => unknown)[] = [];
let kube: KubeApiServer;

before(async () => {
  kube = await startKube(
    { after: (end) => void ends.push(end as () => unknown) },
    { tokens: ['full-token,full,2,', 'reader-token,reader,3,'] },
  );
  await makeNamespace(kube);
  for (const name of ['web', 'other']) await makeAutoscaler(kube, { name, deployment: name, most: 20, current: 2 });
  await grant('full', 'lease', rulesOf('own', [LEASE]));
  await grant('full', 'prescale', rulesOf('prescale', ['web']));
  await grant('reader', 'reader-lease', rulesOf('own', [LEASE]));
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

async function grant(user: string, role: string, rules: readonly object[]): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
  const apiGroup = 'rbac.authorization.k8s.io';
  await kube.ask('POST', `${rbac}/roles`, { metadata: { name: role }, rules });
  await kube.ask('POST', `${rbac}/rolebindings`, {
    metadata: { name: role },
    subjects: [{ kind: 'User', name: user, apiGroup }],
    roleRef: { kind: 'Role', name: role, apiGroup },
  });
}

function as(t: TestContext, token: string): KubernetesRequest {
  const api = new HttpApi(new URL(kube.url), tokenCredentials(kube, token), systemClock);
  t.after(() => api.close());
  return (...asked) => api.request(...asked);
}

interface Candidate {
  readonly election: LeaseElection;
  /** Null: another one leads; undefined: it does not know yet. */
  epoch: number | null | undefined;
}

function candidate(identity: string, request: KubernetesRequest): Candidate {
  const parts = { request, clock: systemClock, random: Math.random, log: silentLog };
  const settings = { namespace: 'shop', name: LEASE, identity };
  const one: Candidate = {
    epoch: undefined,
    election: new LeaseElection(settings, { ...parts, onChange: (leading) => (one.epoch = leading?.epoch ?? null) }),
  };
  one.election.start();
  return one;
}

test('of two agents one leads; the other takes over when it goes, and when it dies without a word', async (t) => {
  const [full, reader] = [as(t, 'full-token'), as(t, 'reader-token')];
  let dead = false;
  const mortal: KubernetesRequest = (...asked) => (dead ? Promise.reject(new Error('it is dead')) : full(...asked));
  const one = candidate('one', full);
  await until(() => one.election.holds, 'the first leads', 10_000);
  const two = candidate('two', reader);
  await until(() => two.election.heardAtMs > 0, 'the second knows who leads', 10_000);
  assert.equal(two.election.holds, false);

  const first = one.epoch ?? 0;
  await one.election.close();
  await until(() => two.election.holds, 'the second took over what was given back', 10_000);
  assert.ok((two.epoch ?? 0) > first, 'with a later epoch');

  const three = candidate('three', mortal);
  t.after(() => three.election.close());
  await until(() => three.election.heardAtMs > 0, 'the third knows who leads', 10_000);
  await two.election.close();
  await until(() => three.election.holds, 'the third took over', 10_000);
  const four = candidate('four', full);
  t.after(() => four.election.close());
  await until(() => four.election.heardAtMs > 0, 'the fourth knows who leads', 10_000);
  const third = three.epoch ?? 0;
  dead = true;
  await until(() => four.election.holds, 'the Lease ran out', 2 * LEASE_MS);
  assert.equal(three.election.holds, false, 'the dead one does not take itself for the holder any more');
  assert.ok((four.epoch ?? 0) > third);
  assert.equal(memberOf(await kube.ask('GET', `${LEASES}/${LEASE}`), 'spec', 'holderIdentity'), 'four');
});

function wishesOf(): WishList {
  const stored = new Map<string, string>();
  const store = {
    getValue: (key: string) => stored.get(key) ?? null,
    putDurably: (key: string, value: string) => void stored.set(key, value),
  };
  return new WishList(store, systemClock, () => null);
}

const expectation = (rps: number, forMs: number) => ({
  ...{ id: 'shop-1', cluster: 'eu', service: 'shop', rps },
  ...{ startsAtMs: Date.now(), endsAtMs: Date.now() + forMs },
});

/** An agent with the rights of its roles, and what a load of 480 requests/s is expected for. */
async function expecting(t: TestContext, target = TARGET) {
  const list = wishesOf();
  const bench = await HubBench.start({ wishes: (cluster) => list.of(cluster) });
  t.after(() => bench[Symbol.asyncDispose]());
  bench.run({ prescale: [target] }, { request: as(t, 'full-token') });
  await until(() => bench.agent('eu').state === 'fresh', 'the agent reports');
  list.expect(expectation(480, 600_000));
  return { list, bench };
}

const autoscaler = (): Promise<unknown> => kube.ask('GET', `${PATHS.autoscalers}/web`);
const minimum = async (): Promise<unknown> => memberOf(await autoscaler(), 'spec', 'minReplicas');

test('an expected load raises the minimum of the autoscaler, and its end puts back what was', async (t) => {
  const { list, bench } = await expecting(t);
  await until(async () => (await minimum()) === 10, 'the minimum is raised', 10_000);
  await until(() => bench.agent('eu').wishes?.[0]?.detail === 'shop/web: 2 of 10 replicas run', 'the edge is told');
  await kube.ask('PATCH', `${PATHS.autoscalers}/web/status`, { status: { currentReplicas: 10 } });
  await until(() => bench.agent('eu').wishes?.[0]?.state === 'done', 'it is done', 10_000);

  list.expect(expectation(900, 4000));
  await until(async () => (await minimum()) === 18, 'more is expected', 10_000);
  await until(async () => (await minimum()) === 1, 'its time is over', 15_000);
  assert.equal(memberOf(await autoscaler(), 'metadata', 'annotations', RAISED_ANNOTATION), undefined);
});

test('a minimum that somebody sets meanwhile stays', async (t) => {
  const { list } = await expecting(t);
  await until(async () => (await minimum()) === 10, 'the minimum is raised', 10_000);
  await kube.ask('PATCH', `${PATHS.autoscalers}/web`, { spec: { minReplicas: 4 } });
  await until(async () => (await minimum()) === 10, 'it is raised from there', 10_000);
  list.withdraw('eu', 'shop');
  await until(async () => (await minimum()) === 4, 'what somebody set is what it goes back to', 10_000);
  await kube.ask('PATCH', `${PATHS.autoscalers}/web`, { spec: { minReplicas: 1 } });
});

test('what its roles do not name is refused, and the edge hears why', async (t) => {
  const { bench } = await expecting(t, { ...TARGET, name: 'other' });
  await until(() => bench.agent('eu').wishes?.[0]?.state === 'unable', 'it cannot', 10_000);
  assert.match(bench.agent('eu').wishes?.[0]?.detail ?? '', /403.*"other" is forbidden/);
  await assert.rejects(kube.ask('GET', `${PATHS.autoscalers}/nothing`), /404/);
  assert.equal(memberOf(await kube.ask('GET', `${PATHS.autoscalers}/other`), 'spec', 'minReplicas'), 1);
});
