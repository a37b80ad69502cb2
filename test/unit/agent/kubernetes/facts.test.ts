// What is kept of each kind of object, by the API's documentation: readiness, requests with init containers and sidecars, conditions that are not said.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { autoscalerFacts } from '../../../../agent/kubernetes/autoscaler-facts.ts';
import { nodeUse, podUse } from '../../../../agent/kubernetes/metrics-facts.ts';
import { nodeFacts } from '../../../../agent/kubernetes/node-facts.ts';
import { podFacts } from '../../../../agent/kubernetes/pod-facts.ts';
import { parseQuantity } from '../../../../agent/kubernetes/quantity.ts';
import { serviceFacts } from '../../../../agent/kubernetes/service-facts.ts';
import { sliceFacts } from '../../../../agent/kubernetes/slice-facts.ts';
import { autoscalerStatus, autoscalerObject, nodeObject, podObject, sliceObject, type NodeWish } from '../../../support/kube-objects.ts';

test('quantities are read in every form there is, and nothing else is one', () => {
  const forms: readonly (readonly [unknown, number | null])[] = [
    ['250m', 0.25],
    ['1', 1],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['2e3', 2000],
    ['2E3', 2000],
    ['1E', 1e18],
    ['1Ki', 1024],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['128974848', 128_974_848],
    ['100n', 1e-7],
    ['5k', 5000],
    [3, 3],
    ['', null],
    ['-1', null],
    ['1Mb', null],
    ['1 Gi', null],
    ['NaN', null],
    ['1e999', null],
    [NaN, null],
    [-1, null],
    [{}, null],
    [undefined, null],
  ];
  for (const [text, value] of forms) {
    const read = parseQuantity(text);
    assert.ok(
      value === null ? read === null : read !== null && Math.abs(read - value) <= value * 1e-12,
      `${String(text)} is ${String(read)}`,
    );
  }
});

describe('a node', () => {
  const of = (wish: Partial<NodeWish>) => nodeFacts(nodeObject({ name: 'n1', ...wish }));

  test('that is well takes new pods', () => {
    const { name, ready, pressed, schedulable, cpuCores, memoryBytes, pods } = of({ cpu: '3920m', memory: '8Gi' });
    assert.deepEqual(
      { name, ready, pressed, schedulable, cpuCores, memoryBytes, pods },
      {
        ...{ name: 'n1', ready: true, pressed: false, schedulable: true },
        ...{ cpuCores: 3.92, memoryBytes: 8 * 2 ** 30, pods: 110 },
      },
    );
  });

  test('that is cordoned, tainted, under pressure or not ready takes none, and a cordoned one is ready all the same', () => {
    assert.deepEqual([of({ unschedulable: true }).schedulable, of({ unschedulable: true }).ready], [false, true]);
    assert.equal(of({ taints: [{ key: 'gpu', effect: 'NoSchedule' }] }).schedulable, false);
    assert.equal(of({ taints: [{ key: 'gpu', effect: 'PreferNoSchedule' }] }).schedulable, true);
    assert.deepEqual([of({ pressure: 'DiskPressure' }).schedulable, of({ pressure: 'DiskPressure' }).pressed], [false, true]);
    assert.deepEqual([of({ ready: false }).schedulable, of({ ready: false }).ready], [false, false]);
  });
});

describe('what a pod takes of its node', () => {
  const container = (cpu: string, more: object = {}) => ({ resources: { requests: { cpu, memory: '64Mi' } }, ...more });
  const cpuOf = (spec: object): number | undefined =>
    podFacts({ metadata: { namespace: 'a', name: 'b' }, spec, status: {} })?.requested.cpuCores;
  const always = { restartPolicy: 'Always' };

  test('is the sum of its containers, or what its largest init container asks for', () => {
    assert.equal(cpuOf({ containers: [container('100m'), container('150m')] }), 0.25);
    assert.equal(cpuOf({ containers: [container('100m')], initContainers: [container('2'), container('1')] }), 2);
    assert.equal(cpuOf({ containers: [container('3')], initContainers: [container('2')] }), 3);
  });

  test('counts sidecars with all that run beside and after them', () => {
    assert.equal(cpuOf({ containers: [container('1')], initContainers: [container('500m', always)] }), 1.5);
    assert.equal(cpuOf({ containers: [container('1')], initContainers: [container('500m', always), container('2')] }), 2.5);
    assert.equal(cpuOf({ containers: [container('1')], initContainers: [container('2'), container('500m', always)] }), 2);
  });

  test('has the overhead of its runtime on top, goes by limits where nothing is asked for, and by the pod as a whole where that is said', () => {
    assert.equal(cpuOf({ containers: [container('1')], overhead: { cpu: '250m' } }), 1.25);
    assert.equal(cpuOf({ containers: [{ resources: { limits: { cpu: '2' } } }] }), 2);
    assert.equal(cpuOf({ containers: [container('1')], resources: { requests: { cpu: '4' } } }), 4);
    assert.equal(cpuOf({ containers: [{}] }), 0);
  });

  test('is nothing once it has ended', () => {
    for (const phase of ['Succeeded', 'Failed'])
      assert.equal(podFacts({ spec: { containers: [container('1')] }, status: { phase } }), null);
  });
});

test('a pod is scaled by the Deployment of its ReplicaSet, or by what made it', () => {
  assert.equal(podFacts(podObject({ name: 'web-1', deployment: 'web' }))?.owner, 'shop/Deployment/web');
  assert.equal(podFacts(podObject({ name: 'web-1' }))?.owner, '');
  const ownerReferences = [{ kind: 'StatefulSet', name: 'db', controller: true }];
  assert.equal(podFacts({ metadata: { namespace: 'shop', name: 'db-0', ownerReferences } })?.owner, 'shop/StatefulSet/db');
});

test('the bound of a pod is its limit where every container has one, else what it asked for', () => {
  assert.equal(podFacts(podObject({ name: 'a', cpu: '100m', cpuLimit: '500m' }))?.cpuBound, 0.5);
  assert.equal(podFacts(podObject({ name: 'a', cpu: '100m' }))?.cpuBound, 0.1);
});

test('a pod waits for room since the scheduler said so, and not while it was not looked at', () => {
  const waiting = (condition: object) => podFacts({ status: { phase: 'Pending', conditions: [condition] } })?.unschedulableSinceMs;
  const at = '2026-11-21T10:00:00Z';
  assert.equal(waiting({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: at }), Date.parse(at));
  assert.equal(waiting({ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', lastTransitionTime: at }), null);
  assert.equal(waiting({ type: 'PodScheduled', status: 'True', lastTransitionTime: at }), null);
});

test('what a slice does not say of an endpoint is read as the API says', () => {
  const states = (conditions: object) =>
    sliceFacts({ ...sliceObject({ service: 'web', endpoints: [] }), endpoints: [{ addresses: ['10.0.0.1'], conditions }] })?.endpoints[0]
      ?.state;
  assert.equal(states({}), 'ready');
  assert.equal(states({ ready: true }), 'ready');
  assert.equal(states({ ready: false }), 'away');
  assert.equal(states({ ready: false, serving: true, terminating: true }), 'leaving');
  assert.equal(states({ ready: false, serving: false, terminating: true }), 'away');
  // A Service that publishes addresses that are not ready says ready while its pods end.
  assert.equal(states({ ready: true, terminating: true }), 'leaving');
  assert.equal(sliceFacts({ metadata: { name: 'of-nobody' } }), null);
  assert.equal(sliceFacts({ ...sliceObject({ service: 'web', endpoints: [] }), endpoints: [{ addresses: [] }] })?.endpoints.length, 0);
});

test('an autoscaler tells how far it can go, and whether it sees anything', () => {
  const wish = { name: 'web', deployment: 'web', most: 5, current: 2, desired: 3 };
  const of = (status: object) => autoscalerFacts({ ...autoscalerObject(wish), status });
  const { target, current, desired, most, isAtMost, isBlind } = of(autoscalerStatus(wish));
  assert.deepEqual(
    { target, current, desired, most, isAtMost, isBlind },
    {
      ...{ target: 'shop/Deployment/web', current: 2, desired: 3, most: 5 },
      ...{ isAtMost: false, isBlind: false },
    },
  );
  assert.equal(of(autoscalerStatus({ ...wish, isAtMost: true })).isAtMost, true);
  assert.equal(of({ conditions: [{ type: 'ScalingActive', status: 'False', reason: 'FailedGetResourceMetric' }] }).isBlind, true);
  assert.equal(of({ conditions: [{ type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled' }] }).isBlind, false);
});

test('a Service tells of the addresses of its load balancer, by number or by name', () => {
  const ingress = [{ ip: '192.0.2.1' }, { hostname: 'a.elb.example.com' }, {}];
  const { balancerHosts, isLocalOnly } = serviceFacts({ status: { loadBalancer: { ingress } }, spec: { externalTrafficPolicy: 'Local' } });
  assert.deepEqual([balancerHosts, isLocalOnly], [['192.0.2.1', 'a.elb.example.com'], true]);
});

test('figures of use that cannot be are none', () => {
  assert.equal(
    podUse({ metadata: { name: 'a' }, containers: [{ usage: { cpu: '100m' } }, { usage: { cpu: '50m' } }] })?.cpuCores.toFixed(3),
    '0.150',
  );
  assert.equal(podUse({ metadata: { name: 'a' }, containers: [{ usage: { cpu: '-1' } }] }), null);
  assert.equal(podUse({ metadata: { name: 'a' }, containers: [{ usage: {} }] }), null);
  assert.equal(nodeUse({ metadata: { name: 'a' }, usage: { cpu: 'lots' } }), null);
  assert.deepEqual(nodeUse({ metadata: { name: 'a' }, usage: { cpu: '1' }, timestamp: 'then' }), {
    key: 'a',
    cpuCores: 1,
    measuredAt: 'then',
  });
});

test('nothing that the server may send breaks a reader', () => {
  for (const value of [
    null,
    undefined,
    1,
    'text',
    [],
    {},
    { metadata: null, spec: 7, status: [] },
    { status: { conditions: {} }, endpoints: 'x' },
  ]) {
    for (const read of [nodeFacts, podFacts, sliceFacts, serviceFacts, autoscalerFacts, podUse, nodeUse])
      assert.doesNotThrow(() => read(value));
  }
});
