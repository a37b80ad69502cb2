// Wishes made minimums: raised while traffic is expected, put back as they were, and nothing of anybody else's overwritten.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Prescaler, type PrescaleTarget, RAISED_ANNOTATION } from '../../../../agent/kubernetes/prescale.ts';
import type { KubernetesRequest } from '../../../../agent/kubernetes/request.ts';
import type { LiveWish } from '../../../../agent/wish-book.ts';
import { silentLog } from '../../../../balancer/log.ts';
import { ObjectServer } from '../../../support/object-server.ts';

const TARGET: PrescaleTarget = { service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 50, most: null };
const PATH = '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web';
const WALL_MS = Date.parse('2026-11-21T10:00:00Z');

const wish = (rps: number, service = 'shop', untilMs = 600_000): LiveWish => ({
  ...{ kind: 'prescale', id: `${service}-${rps}`, service, rps, inMs: 0, endsInMs: untilMs },
  ...{ startsAtMs: 0, untilMs },
});
const drain: LiveWish = { kind: 'drain', id: 'drain', endsInMs: null, startsAtMs: 0, untilMs: Infinity };

async function withAutoscaler(spec: object): Promise<ObjectServer> {
  const server = await ObjectServer.start();
  server.put(PATH, { metadata: { name: 'web', annotations: { theirs: 'kept' } }, spec, status: { currentReplicas: 2 } });
  return server;
}

function prescalerOf({ request }: Pick<ObjectServer, 'request'>, target: Partial<PrescaleTarget> = {}): Prescaler {
  return new Prescaler({ targets: [{ ...TARGET, ...target }], request, log: silentLog });
}

const minimum = (server: ObjectServer): unknown => server.member(PATH, 'spec', 'minReplicas');
const note = (server: ObjectServer): unknown => server.member(PATH, 'metadata', 'annotations', RAISED_ANNOTATION);
const patches = (server: ObjectServer): number => server.calls.filter(({ method }) => method === 'PATCH').length;

describe('a minimum', () => {
  test('is raised to what the traffic needs, told as done when the replicas run, and put back when the wish is over', async () => {
    await using server = await withAutoscaler({ minReplicas: 2, maxReplicas: 50 });
    const one = prescalerOf(server);
    const taken = await one.follow([wish(1800)], WALL_MS, 0);
    assert.deepEqual(taken, [{ id: 'shop-1800', state: 'taken', detail: 'shop/web: 2 of 36 replicas run' }]);
    assert.equal(minimum(server), 36);
    assert.deepEqual(JSON.parse(String(note(server))), { was: 2, raised: 36, until: '2026-11-21T10:10:00.000Z' });
    server.put(PATH, { ...server.objects.get(PATH), status: { currentReplicas: 36 } });
    assert.equal((await one.follow([wish(1800)], WALL_MS + 2000, 2000))[0]?.state, 'done');
    assert.equal(patches(server), 1, 'what is as wished is not written again');
    assert.deepEqual(await one.follow([], WALL_MS, 0), []);
    assert.deepEqual([minimum(server), note(server)], [2, undefined]);
    assert.equal(server.member(PATH, 'metadata', 'annotations', 'theirs'), 'kept');
    assert.equal(one.hasToReturn, false, 'and there is nothing left to look at');
  });

  test('that nobody had set is not set afterwards either', async () => {
    await using server = await withAutoscaler({ maxReplicas: 50 });
    const one = prescalerOf(server);
    await one.follow([wish(500)], WALL_MS, 0);
    assert.equal(minimum(server), 10);
    await one.follow([], WALL_MS, 0);
    assert.equal(JSON.stringify(server.member(PATH, 'spec')), '{"maxReplicas":50}');
  });

  test('is never lowered, and never above what the autoscaler and the agent allow', async () => {
    await using server = await withAutoscaler({ minReplicas: 8, maxReplicas: 20 });
    assert.equal((await prescalerOf(server).follow([wish(100)], WALL_MS, 0))[0]?.state, 'done');
    assert.deepEqual([minimum(server), patches(server)], [8, 0]);
    const [answer] = await prescalerOf(server).follow([wish(5000)], WALL_MS, 0);
    assert.deepEqual([minimum(server), answer?.detail], [20, 'shop/web: 100 replicas are needed and 20 allowed; 2 run']);
    await prescalerOf(server).follow([], WALL_MS, 0);
    await prescalerOf(server, { most: 12 }).follow([wish(5000)], WALL_MS, 0);
    assert.equal(minimum(server), 12);
  });

  test('goes back though the agent that raised it is dead', async () => {
    await using server = await withAutoscaler({ minReplicas: 2, maxReplicas: 50 });
    await prescalerOf(server).follow([wish(1800)], WALL_MS, 0);
    await prescalerOf(server).follow([], WALL_MS, 0);
    assert.deepEqual([minimum(server), note(server)], [2, undefined]);
  });

  test('that somebody changed meanwhile is theirs', async () => {
    await using server = await withAutoscaler({ minReplicas: 2, maxReplicas: 50 });
    const one = prescalerOf(server);
    await one.follow([wish(1000)], WALL_MS, 0);
    server.put(PATH, { ...server.objects.get(PATH), spec: { minReplicas: 5, maxReplicas: 50 } });
    await one.follow([], WALL_MS, 0);
    assert.deepEqual([minimum(server), note(server)], [5, undefined]);
  });

  test('is not written over a change that came in between', async () => {
    await using server = await withAutoscaler({ minReplicas: 2, maxReplicas: 50 });
    const request: KubernetesRequest = (method, ...rest) => {
      if (method === 'PATCH') server.put(PATH, { ...server.objects.get(PATH), spec: { minReplicas: 7, maxReplicas: 50 } });
      return server.request(method, ...rest);
    };
    const between = prescalerOf({ request });
    assert.deepEqual(await between.follow([wish(1800)], WALL_MS, 0), [{ id: 'shop-1800', state: 'taken', detail: '' }]);
    assert.equal(minimum(server), 7);
    await prescalerOf(server).follow([wish(1800)], WALL_MS, 0);
    assert.deepEqual([minimum(server), (JSON.parse(String(note(server))) as { was: unknown }).was], [36, 7]);
  });

  test('goes back at once when the cluster is drained', async () => {
    await using server = await withAutoscaler({ minReplicas: 2, maxReplicas: 50 });
    const one = prescalerOf(server);
    await one.follow([wish(1800)], WALL_MS, 0);
    const answers = await one.follow([wish(1800), drain], WALL_MS, 0);
    assert.deepEqual(
      answers.map(({ id, state }) => `${id} ${state}`),
      ['drain taken', 'shop-1800 taken'],
    );
    assert.equal(minimum(server), 2);
  });
});

describe('what cannot be', () => {
  test('a service without an autoscaler is refused, with what to do', async () => {
    await using server = await withAutoscaler({ maxReplicas: 50 });
    const [answer] = await prescalerOf(server).follow([wish(10, 'search')], WALL_MS, 0);
    assert.deepEqual([answer?.state, answer?.detail], ['refused', 'the agent is not told of an autoscaler of search (--prescale)']);
  });

  test('a missing role, a missing autoscaler and an API server that is away are told, and tried again', async () => {
    await using server = await withAutoscaler({ minReplicas: 2, maxReplicas: 50 });
    const one = prescalerOf(server);
    for (const trouble of [403, 404, 'lose'] as const) {
      server.trouble = trouble;
      const [answer] = await one.follow([wish(1800)], WALL_MS, 0);
      assert.equal(answer?.state, 'unable', String(trouble));
      assert.match(answer.detail, trouble === 'lose' ? /\S/ : new RegExp(String(trouble)));
    }
    server.trouble = 'none';
    await one.follow([wish(1800)], WALL_MS, 0);
    assert.equal(minimum(server), 36);
  });
});
