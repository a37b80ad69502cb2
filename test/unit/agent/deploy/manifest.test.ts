// What deploys the agent: objects that parse and are whole, a chart that renders the same, and values that its schema takes or refuses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { manifestOf, type ManifestSettings, objectsOf, valuesOf } from '../../../../agent/deploy/manifest.ts';
import { weirVersion } from '../../../../balancer/version.ts';
import { chartObjects, FULL, isValid, keyed, PLAIN, readChart } from '../../../support/agent-chart.ts';
import { renderChart } from '../../../support/helm-template.ts';

describe('the chart', () => {
  for (const [name, settings] of Object.entries({ 'the least': PLAIN, 'all there is': FULL })) {
    test(`renders the objects of the manifest, of ${name}`, () => {
      assert.deepEqual(
        keyed(chartObjects(settings, renderChart)),
        keyed(JSON.parse(JSON.stringify(objectsOf(settings))) as readonly unknown[]),
      );
    });
  }

  test('is of the version of the program', () => {
    const { version, appVersion } = parse(readChart('Chart.yaml')) as Readonly<Record<string, string>>;
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
