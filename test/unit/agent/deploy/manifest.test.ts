// What deploys the agent: objects that parse and are whole, a chart that renders the same, and values that its schema takes or refuses.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { manifestOf, type ManifestSettings, objectsOf, valuesOf } from '../../../../agent/deploy/manifest.ts';
import { weirVersion } from '../../../../balancer/version.ts';
import { renderChart } from '../../../support/helm-template.ts';

const CHART = new URL('../../../../agent/deploy/chart/', import.meta.url).pathname;
const read = (file: string): string => readFileSync(join(CHART, file), 'utf8');
const isValid = new Ajv().compile(JSON.parse(read('values.schema.json')) as object);

const PLAIN: ManifestSettings = {
  cluster: 'eu-west',
  hubs: ['wss://edge-1.example:7071'],
  namespace: 'weir',
  image: 'registry.example/weir-agent:0.1.0',
  replicas: 2,
  tokenSecret: 'weir-agent-token',
  certificateSecret: null,
  ca: null,
  config: null,
  prescale: [],
};
const FULL: ManifestSettings = {
  ...PLAIN,
  hubs: ['wss://edges.example:7071', 'wss://edge-9.example', 'ws://10.0.0.9:7072', 'ws://10.0.0.8'],
  namespace: 'edge-agents',
  replicas: 3,
  tokenSecret: null,
  certificateSecret: 'weir-agent-tls',
  ca: '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n',
  config: 'services:\n  shop: { service: "shop/web", ratePerEndpoint: 50 }\n# "quoted" \\ and {{ not a template }}\n',
  prescale: [
    { service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 50, most: 20 },
    { service: 'search', namespace: 'find', name: 'search-api', rpsPerReplica: 12.5, most: null },
  ],
};

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** By kind, namespace and name. */
function keyed(objects: readonly unknown[]): Readonly<Record<string, unknown>> {
  const entries = (objects as readonly Named[]).map(
    (one) => [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name}`, one] as const,
  );
  assert.equal(new Set(entries.map(([key]) => key)).size, entries.length, 'no object is there twice');
  return Object.fromEntries(entries);
}

function chartObjects(settings: ManifestSettings): readonly unknown[] {
  const values = { ...(parse(read('values.yaml')) as object), ...valuesOf(settings) };
  assert.equal(isValid(values), true, JSON.stringify(isValid.errors));
  const { appVersion } = parse(read('Chart.yaml')) as { readonly appVersion: string };
  const templates = Object.fromEntries(readdirSync(join(CHART, 'templates')).map((name) => [name, read(`templates/${name}`)]));
  const root = { Values: values, Release: { Namespace: settings.namespace }, Chart: { AppVersion: appVersion } };
  return renderChart(templates, root)
    .flatMap((text) => parseAllDocuments(text))
    .map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as unknown;
    })
    .filter((object) => object !== null);
}

describe('the chart', () => {
  for (const [name, settings] of Object.entries({ 'the least': PLAIN, 'all there is': FULL })) {
    test(`renders the objects of the manifest, of ${name}`, () => {
      assert.deepEqual(keyed(chartObjects(settings)), keyed(JSON.parse(JSON.stringify(objectsOf(settings))) as readonly unknown[]));
    });
  }

  test('is of the version of the program', () => {
    const { version, appVersion } = parse(read('Chart.yaml')) as Readonly<Record<string, string>>;
    assert.deepEqual([version, appVersion], [weirVersion(), weirVersion()]);
  });

  test('refuses values that deploy nothing that works', () => {
    const wrong: readonly object[] = [
      { cluster: '' },
      { cluster: 'EU' },
      { hubs: [] },
      { hubs: ['https://edge-1.example'] },
      { tokenSecret: '', certificateSecret: '' },
      { replicas: 0 },
      { token: 'weir_secret' },
      { prescale: [{ service: 'shop', namespace: 'shop', autoscaler: 'web' }] },
      { prescale: [{ service: 'shop', namespace: 'shop', autoscaler: 'web', rpsPerReplica: 1e6 }] },
    ];
    for (const change of wrong) assert.equal(isValid({ ...valuesOf(PLAIN), ...change }), false, JSON.stringify(change));
    assert.equal(isValid(valuesOf(PLAIN)), true);
  });
});

describe('the manifest', () => {
  interface Pod {
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly containers: readonly [
      {
        readonly args: readonly string[];
        readonly securityContext: object;
        readonly volumeMounts: readonly { readonly mountPath: string }[];
      },
    ];
    readonly volumes: readonly object[];
  }
  const pod = (settings: ManifestSettings): Pod => {
    const deployment = objectsOf(settings).find(({ kind }) => kind === 'Deployment');
    return (deployment as unknown as { readonly spec: { readonly template: { readonly spec: Pod } } }).spec.template.spec;
  };

  test('keeps to what the API server allows in a restricted namespace', () => {
    const [namespace] = manifestOf(PLAIN);
    assert.match(JSON.stringify(namespace), /"pod-security.kubernetes.io\/enforce":"restricted"/);
    for (const settings of [PLAIN, FULL]) {
      const { securityContext, containers, volumes } = pod(settings);
      assert.equal(securityContext['runAsNonRoot'], true);
      assert.deepEqual(securityContext['seccompProfile'], { type: 'RuntimeDefault' });
      assert.deepEqual(containers[0].securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const volume of volumes) assert.ok(Object.keys(volume).every((key) => ['name', 'secret', 'configMap'].includes(key)));
    }
  });

  test('mounts what its arguments name, and nothing else', () => {
    for (const settings of [PLAIN, FULL]) {
      const [container] = pod(settings).containers;
      const files = container.args.filter((word) => word.startsWith('/etc/weir/'));
      const folders = container.volumeMounts.map(({ mountPath }) => mountPath);
      assert.deepEqual([...new Set(files.map((file) => file.slice(0, file.lastIndexOf('/'))))].sort(), [...folders].sort());
    }
  });

  test('has a role for each autoscaler that may be raised, in its namespace and of its name, and none without', () => {
    const roles = (settings: ManifestSettings): readonly unknown[] =>
      objectsOf(settings).filter((one) => one['kind'] === 'Role' && JSON.stringify(one).includes('patch'));
    assert.deepEqual(roles(PLAIN), []);
    assert.deepEqual(
      roles(FULL).map((role) => [Reflect.get(Object(role), 'metadata'), Reflect.get(Object(role), 'rules')] as unknown),
      FULL.prescale.map(({ namespace, name }) => [
        {
          name: `weir-agent-prescale-${name}`,
          namespace,
          labels: (objectsOf(FULL)[0]?.['metadata'] as { readonly labels: unknown }).labels,
        },
        [{ apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], resourceNames: [name], verbs: ['get', 'patch'] }],
      ]),
    );
  });

  test('opens the ports of its hubs, each once', () => {
    const policy = objectsOf(FULL).find(({ kind }) => kind === 'NetworkPolicy');
    const ports = [...JSON.stringify(policy).matchAll(/"port":(\d+)/g)].map(([, port]) => Number(port));
    assert.deepEqual(ports, [53, 53, 443, 6443, 80, 443, 7071, 7072]);
  });
});
