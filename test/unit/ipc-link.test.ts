// Worker and controller over a real socket: who serves what is known, metrics are counted once, and either side may go and come back.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import { WorkerLinks, type WorkerListener } from '../../balancer/controller/worker-links.ts';
import { createWorkerLink, IPC_PROTOCOL, type ControllerMessage, type Ejection, type WorkerLink } from '../../balancer/ipc.ts';
import { silentLog } from '../../balancer/log.ts';
import type { Plan } from '../../balancer/steer/plan-shape.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import { loaded, SMALL_CONFIG } from '../support/config-text.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';

const CONFIG = loaded(SMALL_CONFIG);
const PLAN: Plan = { services: {}, health: { clusters: {}, ejectedTargets: [] } };

/** The controller's side, recording what it is told. */
class Hub implements WorkerListener {
  readonly requests = new Map<string, number>();
  readonly ejections: Ejection[] = [];
  readonly work = new Map<string, object>();
  readonly wanted: string[] = [];
  readonly left: string[] = [];
  readonly ready: string[] = [];
  readonly lost: string[] = [];
  readonly failed: string[] = [];
  readonly links = new WorkerLinks(systemClock, silentLog, this);

  onMetrics(worker: string, delta: Parameters<WorkerListener['onMetrics']>[1]): void {
    for (const { value } of delta) this.requests.set(worker, (this.requests.get(worker) ?? 0) + value);
  }
  onEjection(_worker: string, ejection: Ejection): void {
    this.ejections.push(ejection);
  }
  onWork(worker: string, { plan, clusters }: Parameters<WorkerListener['onWork']>[1]): void {
    this.work.set(worker, { plan, clusters });
  }
  onQuestion(_worker: string, message: Parameters<WorkerListener['onQuestion']>[1]): void {
    if (message.type === 'key_wanted') this.wanted.push(message.url);
    if (message.type === 'allowances_left')
      this.left.push(...message.counters.map(({ limit, key, remaining }) => `${limit} ${key} ${remaining}`));
  }
  onReady(worker: string, replaced: boolean): void {
    this.ready.push(`${worker}${replaced ? ' again' : ''}`);
  }
  onGenerationFailed(worker: string, generation: number, problem: string): void {
    this.failed.push(`${worker} ${generation} ${problem}`);
  }
  onLost(worker: string, asked: boolean): void {
    this.lost.push(`${worker}${asked ? ' as asked' : ''}`);
  }
}

/** The worker's side: serves whatever it gets and says so, unless it is `stuck`. */
class Worker {
  readonly meter = new Meter();
  readonly received: string[] = [];
  readonly ticketKeys: string[] = [];
  readonly link: WorkerLink;
  generation = 0;
  plan = 0;
  stuck = false;

  constructor(socketPath: string, worker: string, pid: number) {
    this.link = createWorkerLink({
      socketPath,
      worker,
      pid,
      clock: systemClock,
      random: seededRandom(pid),
      log: silentLog,
      meter: this.meter,
      served: () => ({ generation: this.generation, plan: this.plan }),
      onMessage: (message) => this.#take(message),
      standing: () => [{ type: 'allowances_left', counters: [{ limit: 'all', key: worker, plan: '', remaining: 7 }] }],
    });
  }

  request(): void {
    this.meter.counter('weir_sent_bytes_total', ['shop']).add(1);
  }

  #take(message: ControllerMessage): void {
    this.received.push(message.type);
    if (message.type === 'ticket_key') this.ticketKeys.push(message.key);
    if (this.stuck || message.type === 'metrics_ack' || message.type === 'ticket_key' || message.type === 'pin_key') return;
    if (message.type === 'close_tunnels' || message.type === 'slots_called' || message.type === 'flight') return;
    if (message.type === 'session_end_kept' || message.type === 'sessions_ended' || message.type === 'uses_decided') return;
    if (message.type === 'recent_question') {
      this.link.send({ type: 'recent_answer', question: message.question, traces: [] });
      return;
    }
    if (message.type === 'plan_delta' && message.base !== this.plan) {
      this.link.send({ type: 'plan_gap', have: this.plan });
      return;
    }
    const first = this.generation === 0;
    if (message.type === 'key_set' || message.type === 'allowance' || message.type === 'slots_given') return;
    if (message.type === 'generation') this.generation = message.generation;
    else this.plan = message.plan;
    if (first && this.generation > 0) this.link.send({ type: 'ready' });
    this.link.send({ type: 'ack', generation: this.generation, plan: this.plan });
  }
}

interface Scene {
  readonly socketPath: string;
  hub(): Promise<Hub>;
  worker(name: string, pid: number): Worker;
}

function scene(t: TestContext): Scene {
  const directory = mkdtempSync(join(tmpdir(), 'weir-ipc-'));
  const socketPath = join(directory, 'ipc.sock');
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return {
    socketPath,
    hub: async () => {
      const hub = new Hub();
      await hub.links.start(socketPath);
      t.after(() => hub.links.close());
      return hub;
    },
    worker: (name, pid) => {
      const worker = new Worker(socketPath, name, pid);
      worker.link.start();
      t.after(() => worker.link.close());
      return worker;
    },
  };
}

test('every controller hears from each worker what is left of the limits of the host', async (t) => {
  const on = scene(t);
  const first = await on.hub();
  on.worker('w1', 101);
  await until(() => first.left.length > 0, 'the first controller has heard');
  await first.links.close();
  const second = await on.hub();
  await until(() => second.left.length > 0, 'the second has heard');
  assert.deepEqual([first.left, second.left], [['all w1 7'], ['all w1 7']]);
});

test('a change is served when every ready worker has acknowledged it, and who has not is named', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  const [, second] = [on.worker('w1', 101), on.worker('w2', 102)];
  await until(() => hub.ready.length === 2, 'both workers are ready');

  hub.links.sendPlan(2, PLAN, {});
  const served = await hub.links.served({ generation: 1, plan: 2 }, 2000);
  assert.deepEqual({ ...served, tookMs: 0 }, { workers: 2, acknowledged: 2, laggards: [], tookMs: 0 });

  second.stuck = true;
  hub.links.sendPlan(3, PLAN, {});
  const late = await hub.links.served({ generation: 1, plan: 3 }, 100);
  assert.deepEqual({ ...late, tookMs: 0 }, { workers: 2, acknowledged: 1, laggards: ['w2'], tookMs: 0 });
});

test('a worker that has not found a new controller yet is named: it serves what the one before sent', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.expect(2);
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  on.worker('w1', 101);
  await until(() => hub.ready.length === 1, 'one worker is ready');
  const late = await hub.links.served({ generation: 1, plan: 1 }, 100);
  assert.deepEqual({ ...late, tookMs: 0 }, { workers: 2, acknowledged: 1, laggards: ['w2'], tookMs: 0 });

  const following = hub.links.served({ generation: 1, plan: 1 }, 5000);
  on.worker('w2', 102).generation = 1;
  assert.deepEqual({ ...(await following), tookMs: 0 }, { workers: 2, acknowledged: 2, laggards: [], tookMs: 0 });
});

test('nothing counts as served while every worker is lost', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.expect(1);
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  await startWorkerAndEnd(hub, on.worker('w1', 101));
  const late = await hub.links.served({ generation: 1, plan: 1 }, 100);
  assert.deepEqual({ ...late, tookMs: 0 }, { workers: 1, acknowledged: 0, laggards: ['w1'], tookMs: 0 });
});

test('a worker that comes back over a new connection before the old one is seen to end is not reported as gone', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  const hello = `{"type":"hello","protocol":${IPC_PROTOCOL},"worker":"w1","pid":9,"generation":1,"plan":1}\n`;
  const [first, second] = [connect(on.socketPath), connect(on.socketPath)];
  first.resume();
  first.write(hello);
  await until(() => hub.ready.length === 1, 'the first connection is known');
  second.write(hello);
  await until(() => hub.ready.length === 2, 'so is the second');
  await until(() => first.destroyed, 'the first connection is ended');
  assert.deepEqual(hub.lost, []);
  assert.equal(hub.links.workers()[0]?.state, 'ready');
  second.destroy();
});

test('a worker that missed a plan asks for all of it', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  const worker = on.worker('w1', 101);
  await until(() => hub.ready.length === 1, 'the worker is ready');
  worker.stuck = true;
  hub.links.sendPlan(2, PLAN, {});
  await until(() => worker.received.includes('plan_delta'), 'the worker missed a plan');
  worker.stuck = false;
  hub.links.sendPlan(3, PLAN, {});
  const served = await hub.links.served({ generation: 1, plan: 3 }, 2000);
  assert.equal(served.acknowledged, 1);
  assert.deepEqual(worker.received.slice(-3), ['plan_delta', 'plan_delta', 'plan']);
});

test('a worker goes on over a change of controllers, and nothing it counted is lost or counted twice', async (t) => {
  const on = scene(t);
  const first = await on.hub();
  first.links.sendPlan(7, PLAN, null);
  first.links.sendGeneration(3, CONFIG);
  const worker = on.worker('w1', 101);
  worker.request();
  await until(() => first.requests.get('w1') === 1, 'the first request is counted');
  await first.links.close();
  worker.request();
  worker.link.send({
    type: 'ejection',
    ejection: { kind: 'endpoint', cluster: 'one', endpoint: '127.0.0.1:9001', forMs: 30_000, reason: 'connection refused' },
  });

  const second = await on.hub();
  second.links.sendPlan(8, PLAN, null);
  second.links.sendGeneration(3, CONFIG);
  await until(() => second.ready.length === 1, 'the worker has found the new controller');
  assert.deepEqual(second.ready, ['w1']);
  assert.equal(worker.received.filter((type) => type === 'generation').length, 1, 'it serves that generation already');
  await until(() => second.requests.get('w1') === 1, 'only what the first controller did not count is counted');
  const [ejection] = second.ejections;
  assert.equal(ejection?.kind, 'endpoint');
  assert.ok(ejection.forMs > 0 && ejection.forMs < 30_000, 'what is left of the ejection');
});

test('a delta that is sent again over a new connection is counted once', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  const hello = `{"type":"hello","protocol":${IPC_PROTOCOL},"worker":"w1","pid":9,"generation":0,"plan":0}\n`;
  const metrics = '{"type":"metrics","sequence":1,"delta":[{"name":"weir_sent_bytes_total","labels":["shop"],"value":5}]}\n';
  for (let round = 0; round < 2; round += 1) {
    const socket = connect(on.socketPath);
    let said = '';
    socket.setEncoding('utf8').on('data', (text: string) => (said += text));
    socket.write(hello + metrics);
    await until(() => said.includes('"metrics_ack","sequence":1'), 'the delta is acknowledged');
    socket.destroy();
    await until(() => hub.lost.length === round + 1, 'the connection is gone');
  }
  assert.equal(hub.requests.get('w1'), 5);
});

test('another process under the same name is a replacement; one that drained has left', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  await startWorkerAndEnd(hub, on.worker('w1', 101));
  assert.equal(hub.links.workers()[0]?.state, 'lost');
  const next = on.worker('w1', 102);
  await until(() => hub.ready.length === 2, 'another worker of that name is ready');
  assert.deepEqual(hub.ready, ['w1', 'w1 again']);
  assert.equal(hub.links.workers()[0]?.restarts, 1);

  next.link.send({ type: 'draining' });
  await next.link.close();
  await until(() => hub.lost.length === 2, 'it has left');
  assert.deepEqual(hub.lost, ['w1', 'w1 as asked']);
  assert.deepEqual(hub.links.workers(), []);
});

test('a worker that leaves delivers its last figures first', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  const worker = on.worker('w1', 101);
  await until(() => hub.ready.length === 1, 'the worker is ready');
  for (let count = 0; count < 3; count += 1) worker.request();
  await worker.link.close();
  assert.equal(hub.requests.get('w1'), 3);
});

test('a second controller on the same socket is refused', async (t) => {
  const on = scene(t);
  await on.hub();
  await assert.rejects(on.hub(), /another weir is running on this state directory/);
});

test('a worker whose link alone is lost serves on, and is named until it is back or its process is gone', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  // Beyond the highest number that Linux gives to a process.
  const gone = 2 ** 22 + 1;
  const [, alive, dead] = [on.worker('w1', 101), on.worker('w2', process.pid), on.worker('w3', gone)];
  await until(() => hub.ready.length === 3, 'all workers are ready');
  await Promise.all([alive.link.close(), dead.link.close()]);
  await until(() => hub.lost.length === 2, 'two links are lost');
  const cut = await hub.links.served({ generation: 1, plan: 1 }, 100);
  assert.deepEqual({ ...cut, tookMs: 0 }, { workers: 2, acknowledged: 1, laggards: ['w2'], tookMs: 0 });

  const following = hub.links.served({ generation: 1, plan: 1 }, 5000);
  on.worker('w2', process.pid).generation = 1;
  assert.deepEqual({ ...(await following), tookMs: 0 }, { workers: 2, acknowledged: 2, laggards: [], tookMs: 0 });
});

async function startWorkerAndEnd(hub: Hub, worker: Worker): Promise<void> {
  await until(() => hub.ready.length === 1, 'the worker is ready');
  await worker.link.close();
  await until(() => hub.lost.length === 1, 'it is gone');
}

test('the key of session tickets comes before all else, and each new one at once', async (t) => {
  const on = scene(t);
  const hub = await on.hub();
  const key = (byte: number): Buffer => Buffer.alloc(48, byte);
  hub.links.sendTicketKey(key(1));
  hub.links.sendPlan(1, PLAN, null);
  hub.links.sendGeneration(1, CONFIG);
  const workers = [on.worker('w1', 101), on.worker('w2', 102)];
  await until(() => hub.ready.length === 2, 'both workers are ready');
  hub.links.sendTicketKey(key(2));
  await until(() => workers.every(({ ticketKeys }) => ticketKeys.length === 2), 'both have the second key');
  for (const { received, ticketKeys } of workers) {
    assert.equal(received[0], 'ticket_key');
    assert.deepEqual(ticketKeys, [key(1).toString('base64'), key(2).toString('base64')]);
  }
});
