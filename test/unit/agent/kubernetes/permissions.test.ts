// The roles of the agent allow what it asks the API server for, and nothing more: its real questions over real HTTP, against the list that roles are made from.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ClusterSource } from '../../../../agent/cluster-source.ts';
import { HttpApi } from '../../../../agent/kubernetes/http-api.ts';
import { LeaseElection } from '../../../../agent/kubernetes/lease.ts';
import { PAGES, PERMISSIONS, rulesOf } from '../../../../agent/kubernetes/permissions.ts';
import { Prescaler } from '../../../../agent/kubernetes/prescale.ts';
import { silentLog } from '../../../../balancer/log.ts';
import { systemClock } from '../../../../health/clock.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { ObjectServer } from '../../../support/object-server.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { until } from '../../../support/until.ts';

/** `group/resource verb`, or the path of what is no object. */
function permissionOf(method: string, url: string): string {
  const { pathname, searchParams } = new URL(url, 'http://server');
  const [, , group = '', resource, name] =
    /^\/api(s\/([^/]+))?\/v[^/]+\/(?:namespaces\/[^/]+\/)?([^/]+)(?:\/([^/]+))?$/.exec(pathname) ?? [];
  if (resource === undefined) return pathname;
  const read = name === undefined ? (searchParams.get('watch') === null ? 'list' : 'watch') : 'get';
  const verb = { GET: read, POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method;
  return `${group}/${resource} ${verb}`;
}

/** Lists of nothing, and watches in which nothing happens. */
async function emptyCluster(): Promise<{ url: URL; asked: Set<string>; close: () => void }> {
  const asked = new Set<string>();
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    asked.add(permissionOf(request.method ?? '', url));
    response.writeHead(200, { 'content-type': url.startsWith('/readyz') ? 'text/plain' : 'application/json' });
    if (url.startsWith('/readyz')) response.end('ok');
    else if (url.includes('watch=')) response.flushHeaders();
    else response.end(JSON.stringify({ kind: 'List', metadata: { resourceVersion: '7' }, items: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), asked, close };
}

test('what the agent asks for is what its roles allow', async () => {
  const { url, asked, close } = await emptyCluster();
  const tls = { ca: null, cert: null, key: null, serverName: null, verify: true };
  const api = new HttpApi(url, { access: () => Promise.resolve({ authorization: null, tls }), refused: () => undefined }, systemClock);
  const shop = { name: 'shop', service: 'shop/web', port: null, ratePerEndpoint: 50, learnP95Ms: null, application: null, scaler: 1 };
  const file = { gateways: [], services: [shop], capacityRps: null };
  const source = new ClusterSource({ api, file, clock: systemClock, random: seededRandom(1), log: silentLog });
  await using objects = await ObjectServer.start();
  try {
    source.start();
    const reads = PERMISSIONS.filter(({ scope }) => scope === 'everywhere').flatMap(({ group, resource, verbs }) =>
      verbs.map((verb) => `${group}/${resource} ${verb}`),
    );
    const allowed = [...reads, ...PAGES];
    await until(() => allowed.every((one) => asked.has(one)), 'the agent has asked for all that it may').catch((error: unknown) => {
      throw new Error(`${String(error)}; it did not ask for ${allowed.filter((one) => !asked.has(one)).join(', ')}`);
    });
    assert.deepEqual([...asked].sort(), [...allowed].sort());

    await lead(objects);
    await raise(objects);
    const writes = objects.calls.map(({ method, path }) => permissionOf(method, path));
    const granted = PERMISSIONS.filter(({ scope }) => scope !== 'everywhere').flatMap(({ group, resource, verbs }) =>
      verbs.map((verb) => `${group}/${resource} ${verb}`),
    );
    assert.deepEqual([...new Set(writes)].sort(), [...new Set(granted)].sort());
  } finally {
    await source.close();
    await api.close();
    close();
  }
});

/** Gets a Lease, renews it and gives it back: by hand, with the client that the agent has. */
async function lead({ request }: ObjectServer): Promise<void> {
  const clock = new ManualClock();
  let epochs = 0;
  const onChange = (): void => void (epochs += 1);
  const election = new LeaseElection(
    { namespace: 'weir', name: 'weir-agent', identity: 'pod-a' },
    { request, clock, random: seededRandom(1), log: silentLog, onChange },
  );
  election.start();
  await until(() => epochs === 1 && clock.pending > 0, 'the lease is held');
  await election.close();
}

async function raise(objects: ObjectServer): Promise<void> {
  objects.put('/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web', { spec: { maxReplicas: 10 } });
  const targets = [{ service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 50, most: null }];
  const wish = { kind: 'prescale', id: 'one', service: 'shop', rps: 200, inMs: 0, endsInMs: 1000, startsAtMs: 0, untilMs: 1000 } as const;
  await new Prescaler({ targets, request: objects.request, log: silentLog }).follow([wish], 0, 0);
}

test('writing is bound to names, and reading names no secret and nothing that can be run', () => {
  for (const scope of ['own', 'prescale'] as const)
    for (const { verbs, resourceNames } of rulesOf(scope, ['one'])) assert.ok(verbs.includes('create') || resourceNames?.join() === 'one');
  const words = JSON.stringify(PERMISSIONS);
  assert.doesNotMatch(words, /secret|configmap|exec|proxy|\*|delete|impersonate|escalate|bind/);
});
