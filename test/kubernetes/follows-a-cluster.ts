// The agent against a real API server: what it lists and follows, what it is allowed to, and who it is. Shown: lists in pages, watches, RBAC, tokens and
// certificates. Not shown: fields that are newer than 1.20, for which the unit tests go by the documentation.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, after, test } from 'node:test';
import { openCluster } from '../../agent/open-cluster.ts';
import { KINDS, READY_PATH } from '../../agent/kubernetes/kinds.ts';
import { kubeconfigAccess } from '../../agent/kubernetes/kubeconfig.ts';
import { FileCredentials } from '../../agent/kubernetes/credentials.ts';
import { silentLog } from '../../balancer/log.ts';
import { systemClock } from '../../health/clock.ts';
import { makeCertificate } from '../support/certificates.ts';
import { runWeir } from '../support/command.ts';
import { ADMIN_TOKEN, startKube, type KubeApiServer } from '../support/kube-api-server.ts';
import { readCluster, SHOP_FILE, tokenCredentials } from '../support/kube-agent.ts';
import {
  makeAutoscaler,
  makeNamespace,
  makeUnschedulable,
  nodeObject,
  PATHS,
  podObject,
  serviceObject,
  sliceObject,
} from '../support/kube-objects.ts';
import { until } from '../support/until.ts';

let kube: KubeApiServer;
const ends: (() => unknown)[] = [];

before(async () => {
  const tokens = ['least-token,least,2,', 'nobody-token,nobody,3,', 'no-nodes-token,no-nodes,4,'];
  kube = await startKube({ after: (end) => void ends.push(end as () => unknown) }, { tokens });
  await makeNamespace(kube);
  for (const name of ['n1', 'n2']) await kube.ask('POST', PATHS.nodes, nodeObject({ name, address: `10.0.0.${name.slice(1)}` }));
  for (const [name, node] of [
    ['web-1', 'n1'],
    ['web-2', 'n2'],
  ] as const)
    await kube.ask('POST', PATHS.pods, podObject({ name, node, deployment: 'web' }));
  await kube.ask(
    'POST',
    PATHS.services,
    serviceObject({ name: 'web', type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
  );
  const endpoints = [
    { address: '10.1.0.1', pod: 'web-1', ready: true },
    { address: '10.1.0.2', pod: 'web-2', ready: true },
  ];
  await kube.ask('POST', PATHS.slices, sliceObject({ service: 'web', portName: 'http', endpoints }));
  await makeAutoscaler(kube, { name: 'web', deployment: 'web', most: 6, current: 2 });
});

after(async () => {
  for (const end of ends.reverse()) await end();
});

test('every kind is listed, and every change of it is seen', async (t) => {
  const source = await readCluster(t, kube);
  const figures = () => source.figures();
  const shop = () => figures().services[0];
  assert.equal(shop()?.report.capacityRps, 100);
  assert.deepEqual(figures().endpoints?.list, [
    { host: '10.1.0.1', port: 8080 },
    { host: '10.1.0.2', port: 8080 },
  ]);
  assert.equal(shop()?.growth.factor, 3);
  assert.equal(figures().nodes.schedulable, 2);

  const slice = (ready: boolean, terminating = false) => ({
    endpoints: [
      { addresses: ['10.1.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-1' } },
      {
        addresses: ['10.1.0.2'],
        conditions: { ready, serving: true, terminating },
        targetRef: { kind: 'Pod', namespace: 'shop', name: 'web-2' },
      },
    ],
  });
  await kube.ask('PATCH', `${PATHS.slices}/web-1`, slice(false, true));
  await until(() => shop()?.report.ready === 1, 'an endpoint is leaving');
  assert.deepEqual(figures().endpoints?.list[1], { host: '10.1.0.2', port: 8080, draining: true });
  await kube.ask('PATCH', `${PATHS.slices}/web-1`, slice(true));
  await until(() => shop()?.report.ready === 2, 'it is back');

  await kube.ask('PATCH', `${PATHS.nodes}/n2`, { spec: { unschedulable: true } });
  await until(() => figures().nodes.schedulable === 1, 'a node is cordoned');
  await kube.ask('PATCH', `${PATHS.nodes}/n2`, { spec: { unschedulable: null } });
  await makeUnschedulable(kube, { name: 'waiting', deployment: 'web' });
  await until(() => shop()?.growth.bound === 'pending_pods', 'a pod of it waits for room', 10_000);
  await kube.ask('DELETE', `${PATHS.pods}/waiting?gracePeriodSeconds=0`);
  await until(() => shop()?.growth.bound === 'max_replicas', 'it waits no more', 10_000);
  await kube.ask('PATCH', `${PATHS.autoscalers}/web/status`, { status: { currentReplicas: 6 } });
  await until(() => shop()?.growth.factor === 1, 'it has all replicas it may have');
  await kube.ask('PATCH', `${PATHS.autoscalers}/web/status`, { status: { currentReplicas: 2 } });
});

test('more objects than a page holds are all there', async (t) => {
  for (let n = 0; n < 300; n += 25) {
    const some = Array.from({ length: 25 }, (_, m) => podObject({ name: `many-${n + m}`, node: 'n1', cpu: '1m', memory: '1Mi' }));
    await Promise.all(some.map((pod) => kube.ask('POST', PATHS.pods, pod)));
  }
  kube.translator.asked.length = 0;
  const source = await readCluster(t, kube);
  assert.equal(source.view.facts().pods?.size, 302);
  assert.equal(kube.translator.asked.filter((name) => name === 'page pods').length, 6);
  await kube.ask('DELETE', `${PATHS.pods}?gracePeriodSeconds=0&fieldSelector=spec.nodeName=n1,metadata.name!=web-1`);
  await until(() => source.view.facts().pods?.size === 2, 'they are gone', 20_000);
});

test('with exactly the rights that the list of kinds names, every source is fresh', async (t) => {
  const rules = Object.values(KINDS).map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs }));
  const readiness = { nonResourceURLs: [READY_PATH], verbs: ['get'] };
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const grant = async (name: string, granted: readonly object[]): Promise<void> => {
    await kube.ask('POST', `${rbac}/clusterroles`, { metadata: { name }, rules: granted });
    const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }];
    const roleRef = { kind: 'ClusterRole', name, apiGroup: 'rbac.authorization.k8s.io' };
    await kube.ask('POST', `${rbac}/clusterrolebindings`, { metadata: { name }, subjects, roleRef });
  };
  await grant('least', [...rules, readiness]);
  await grant(
    'no-nodes',
    rules.filter(({ resources: [resource] }) => resource !== 'nodes'),
  );
  const least = await readCluster(t, kube, { credentials: tokenCredentials(kube, 'least-token') });
  const { podMetrics, nodeMetrics, ...watched } = least.sources();
  assert.deepEqual(
    Object.values(watched).map(({ state }) => state),
    Array(5).fill('fresh'),
  );
  assert.deepEqual([podMetrics?.state, nodeMetrics?.state], ['absent', 'absent'], 'no metrics server is installed');
  await until(() => least.view.controlPlane() === 'ready', 'the server says that it is ready');

  const without = await readCluster(t, kube, { credentials: tokenCredentials(kube, 'no-nodes-token') });
  assert.equal(without.sources().nodes?.state, 'absent');
  assert.match(without.problems()['nodes'] ?? '', /nodes is forbidden.*\(403\)/);
  assert.equal(without.figures().services[0]?.report.capacityRps, 100, 'what can be read counts');
  assert.equal(without.figures().services[0]?.growth.bound, 'unknown');
});

test('a token that is not accepted any more is read again from its file', async (t) => {
  const token = join(kube.directory, 'token');
  const ca = join(kube.directory, 'weir-test-authority.crt');
  writeFileSync(token, 'a-token-of-yesterday');
  let reads = 0;
  const { readFileSync } = await import('node:fs');
  const readText = (path: string): string => {
    if (path === token) reads += 1;
    const text = readFileSync(path, 'utf8');
    // The first answer of 401 makes it look again, and there is another one by then.
    if (path === token) writeFileSync(token, ADMIN_TOKEN);
    return text;
  };
  const files = { tokenFile: token, caFile: ca, certFile: null, keyFile: null };
  const source = await readCluster(t, kube, { credentials: new FileCredentials(files, {}, { clock: systemClock, readText }) });
  assert.equal(source.figures().services[0]?.report.capacityRps, 100);
  assert.ok(reads >= 2 && reads <= 12, String(reads));
});

test('kubeconfigs with a client certificate and with a program that gives out tokens are understood', async (t) => {
  const { directory, authority } = kube;
  const client = makeCertificate(directory, { names: ['admin'], ca: authority, file: 'client' });
  const program = join(directory, 'login');
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: ADMIN_TOKEN } };
  writeFileSync(program, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(credential)}\nEND\n`);
  chmodSync(program, 0o700);
  const file = join(directory, 'kubeconfig');
  writeFileSync(
    file,
    `apiVersion: v1
kind: Config
current-context: program
clusters:
  - { name: direct, cluster: { server: "${kube.directUrl}", certificate-authority: weir-test-authority.crt } }
  - { name: translated, cluster: { server: "${kube.url}", certificate-authority-data: ${Buffer.from(authority.pem).toString('base64')} } }
users:
  - { name: certificate, user: { client-certificate: client.crt, client-key-data: ${Buffer.from((await import('node:fs')).readFileSync(client.key)).toString('base64')} } }
  - { name: program, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./login } } }
contexts:
  - { name: certificate, context: { cluster: direct, user: certificate } }
  - { name: program, context: { cluster: translated, user: program } }
`,
  );
  const environment = { clock: systemClock, env: {} };
  const { server, credentials } = await kubeconfigAccess(file, 'certificate', environment);
  const source = await readCluster(t, kube, { credentials, url: server.origin });
  // The server knows who it is by the certificate, and that it may do nothing.
  assert.match(source.problems()['nodes'] ?? '', /User "admin" cannot list resource "nodes".*\(403\)/);

  const config = join(directory, 'agent.yaml');
  writeFileSync(config, SHOP_FILE);
  const cluster = await openCluster(
    { configFile: config, kubeconfig: file, context: null },
    { ...environment, random: Math.random, log: silentLog },
  );
  t.after(() => cluster.close());
  cluster.source.start();
  await cluster.source.view.settled(20_000);
  assert.equal(cluster.source.figures().services[0]?.report.capacityRps, 100);

  const explained = await runWeir(['agent', 'explain', '--config', config, '--kubeconfig', file]);
  assert.equal(explained.code, 0, explained.stderr);
  assert.match(explained.stdout, /service shop: 100 requests\/s = 2 ready of 2 x 50 requests\/s each \(declared\) x scaler 1/);
  const refused = await runWeir(['agent', 'explain', '--config', config, '--kubeconfig', file, '--context', 'certificate']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /nothing could be read with context "certificate"/);
});
