// The formula of capacity, with figures that can be checked by hand.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clusterCapacity, headroomRps, serviceCapacity, utilisationOf, type ServiceFigures } from '../../../agent/capacity.ts';
import { growthOf, pendingPods, PENDING_MS, roomFor, takenOf, type Growth } from '../../../agent/growth.ts';
import { nodeFacts } from '../../../agent/kubernetes/node-facts.ts';
import { podFacts, type PodFacts } from '../../../agent/kubernetes/pod-facts.ts';
import { nodeObject, podObject, type PodWish } from '../../support/kube-objects.ts';

const FIXED: Growth = { factor: 1, bound: 'no_autoscaler', current: 0, most: 0, room: null };
const NO_USE = { application: null, pods: null, nodes: null };

function figures(wish: Partial<ServiceFigures> = {}): ServiceFigures {
  const endpoints = { ready: 10, serving: 12, total: 14 };
  return { service: 'shop', endpoints, rate: { value: 50, of: 'declared' }, scaler: 1, use: NO_USE, growth: FIXED, ...wish };
}

describe('a service', () => {
  test('can take what its ready endpoints can, times the scaler', () => {
    assert.equal(serviceCapacity(figures()).capacityRps, 500);
    assert.equal(serviceCapacity(figures({ scaler: 0.3 })).capacityRps, 150);
    assert.equal(serviceCapacity(figures({ rate: { value: null, of: null } })).capacityRps, null);
  });

  test('counts endpoints on their way out only when none is ready', () => {
    assert.equal(serviceCapacity(figures({ endpoints: { ready: 1, serving: 9, total: 9 } })).capacityRps, 50);
    assert.equal(serviceCapacity(figures({ endpoints: { ready: 0, serving: 2, total: 9 } })).capacityRps, 100);
    assert.equal(serviceCapacity(figures({ endpoints: { ready: 0, serving: 0, total: 9 } })).capacityRps, 0);
  });

  test('is in use by the word that is nearest to its requests, and by none that cannot be', () => {
    assert.deepEqual(utilisationOf({ application: 0.4, pods: 0.6, nodes: 0.2 }), { value: 0.4, of: 'application' });
    assert.deepEqual(utilisationOf({ application: null, pods: 0.6, nodes: 0.2 }), { value: 0.6, of: 'pods' });
    assert.deepEqual(utilisationOf({ application: -1, pods: NaN, nodes: 0.2 }), { value: 0.2, of: 'nodes' });
    assert.deepEqual(utilisationOf({ application: 1e9, pods: null, nodes: null }), { value: null, of: null });
    assert.equal(utilisationOf({ application: 0, pods: 0.6, nodes: null }).value, 0, 'idle is a word');
  });

  test('has room for what is not in use', () => {
    assert.equal(headroomRps({ capacityRps: 500, utilisation: 0.6 }), 200);
    assert.equal(headroomRps({ capacityRps: 500, utilisation: 1.4 }), 0);
    assert.equal(headroomRps({ capacityRps: null, utilisation: 0.6 }), null);
  });
});

describe('a cluster', () => {
  const report = (capacityRps: number | null, wish: { readonly utilisation?: number; readonly growth?: number } = {}) => ({
    ...serviceCapacity(figures()),
    capacityRps,
    utilisation: wish.utilisation ?? null,
    utilisationOf: wish.utilisation === undefined ? null : ('pods' as const),
    growth: wish.growth ?? 1,
  });
  const gateway = (ready: number, ratePerEndpoint: number | null, factor = 1) => ({
    endpoints: { ready, serving: ready, total: ready },
    ratePerEndpoint,
    growth: { ...FIXED, factor },
  });
  const none = { services: [], gateways: [], declaredRps: null, nodesUtilisation: null };

  test('can take what its weakest link can', () => {
    const links = { ...none, services: [report(500), report(300)], gateways: [gateway(2, 450)] };
    assert.deepEqual([clusterCapacity(links).capacityRps, clusterCapacity(links).bound], [800, 'services']);
    assert.equal(clusterCapacity({ ...links, gateways: [gateway(1, 450)] }).capacityRps, 450);
    assert.deepEqual(clusterCapacity({ ...links, declaredRps: 600 }).bound, 'declared');
  });

  test('is not known by a service whose rate is not known, and is by the others links', () => {
    assert.equal(clusterCapacity({ ...none, services: [report(500), report(null)] }).capacityRps, null);
    assert.equal(clusterCapacity({ ...none, services: [report(500), report(null)], gateways: [gateway(2, 450)] }).capacityRps, 900);
    assert.equal(clusterCapacity(none).capacityRps, null);
  });

  test('of which nothing is ready is told as next to nothing: an agent takes no cluster out of service', () => {
    assert.equal(clusterCapacity({ ...none, services: [report(0)] }).capacityRps, 1);
  });

  test('is in use as its services are, by their capacity, else as its nodes are', () => {
    const services = [report(300, { utilisation: 0.9 }), report(100, { utilisation: 0.1 })];
    assert.ok(Math.abs((clusterCapacity({ ...none, services }).utilisation ?? 0) - 0.7) < 1e-9);
    assert.equal(clusterCapacity({ ...none, services: [report(300)], nodesUtilisation: 0.35 }).utilisation, 0.35);
  });

  test('grows as its weakest link does: a gateway that stays bounds services that grow', () => {
    const services = [report(500, { growth: 3 })];
    assert.equal(clusterCapacity({ ...none, services }).growth, 3);
    assert.equal(clusterCapacity({ ...none, services, gateways: [gateway(2, 500)] }).growth, 2);
    assert.equal(clusterCapacity({ ...none, services, declaredRps: 500 }).growth, 1);
  });
});

const nodeOf = (name: string, wish: object = {}) => nodeFacts(nodeObject({ name, cpu: '4', memory: '8Gi', pods: '10', ...wish }));
const podOf = (wish: PodWish): PodFacts => {
  const facts = podFacts(podObject(wish));
  if (facts === null) throw new Error('it has ended');
  return facts;
};

describe('room for more pods', () => {
  const size = { cpuCores: 1, memoryBytes: 2 ** 30 };

  test('is counted node by node, by what is tightest there', () => {
    const taken = takenOf([podOf({ name: 'a', node: 'n1', cpu: '3500m' }), podOf({ name: 'b', node: 'n2', cpu: '3500m' })]);
    assert.equal(roomFor(size, [nodeOf('n1'), nodeOf('n2')], taken), 0, 'half a core on each of two nodes is room for none');
    assert.equal(roomFor(size, [nodeOf('n3')], taken), 4);
    assert.equal(roomFor(size, [nodeOf('n3', { memory: '2Gi' })], taken), 2);
    assert.equal(roomFor(size, [nodeOf('n3', { pods: '1' })], taken), 1);
    assert.equal(
      roomFor({ cpuCores: 0.1, memoryBytes: 0 }, [nodeOf('n3', { cpu: '400m' })], taken),
      4,
      'four tenths are four times a tenth',
    );
  });

  test('is none on nodes that take no new pods, nor below none on one that is overcommitted', () => {
    assert.equal(roomFor(size, [nodeOf('n1', { unschedulable: true }), nodeOf('n2', { ready: false })], new Map()), 0);
    assert.equal(roomFor(size, [nodeOf('n1'), nodeOf('n2')], takenOf([podOf({ name: 'a', node: 'n1', cpu: '9' })])), 4);
  });
});

describe('growth', () => {
  const autoscaler = { key: 'shop/web', target: 'shop/Deployment/web', current: 4, desired: 4, most: 10, isAtMost: false, isBlind: false };

  test('goes as far as the autoscaler may and the nodes have room', () => {
    assert.deepEqual(pick(growthOf({ autoscaler, room: 100, isPending: false })), [2.5, 'max_replicas']);
    assert.deepEqual(pick(growthOf({ autoscaler, room: 2, isPending: false })), [1.5, 'room']);
    assert.deepEqual(pick(growthOf({ autoscaler, room: 0, isPending: false })), [1, 'room']);
  });

  test('is none without an autoscaler, at its most, blind, or while pods wait for room', () => {
    assert.deepEqual(pick(growthOf({ autoscaler: null, room: 100, isPending: false })), [1, 'no_autoscaler']);
    assert.deepEqual(pick(growthOf({ autoscaler: { ...autoscaler, isAtMost: true }, room: 100, isPending: false })), [1, 'max_replicas']);
    assert.deepEqual(pick(growthOf({ autoscaler: { ...autoscaler, isBlind: true }, room: 100, isPending: false })), [1, 'unknown']);
    assert.deepEqual(pick(growthOf({ autoscaler: { ...autoscaler, current: 0 }, room: 100, isPending: false })), [1, 'unknown']);
    assert.deepEqual(pick(growthOf({ autoscaler, room: null, isPending: false })), [1, 'unknown']);
    assert.deepEqual(pick(growthOf({ autoscaler, room: 100, isPending: true })), [1, 'pending_pods']);
  });

  test('pods wait for room when they have for half a minute', () => {
    const pod = { ...podOf({ name: 'a' }), unschedulableSinceMs: 1000 };
    assert.equal(pendingPods([pod], 1000 + PENDING_MS).length, 0);
    assert.equal(pendingPods([pod], 1001 + PENDING_MS).length, 1);
  });
});

const pick = ({ factor, bound }: Growth): readonly [number, string] => [factor, bound];
