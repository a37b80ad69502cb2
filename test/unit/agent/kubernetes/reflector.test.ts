// Following one kind of object through whatever a server may do: nothing is missed, nothing is asked twice at a time, and nobody is stormed.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApiFailure } from '../../../../agent/kubernetes/api.ts';
import { ServerGate } from '../../../../agent/kubernetes/gate.ts';
import { nodeFacts, type NodeFacts } from '../../../../agent/kubernetes/node-facts.ts';
import { Reflector } from '../../../../agent/kubernetes/reflector.ts';
import { GRACE_MS, WATCH_SECONDS } from '../../../../agent/kubernetes/watch.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { AWAY, MemoryApi } from '../../../support/memory-api.ts';
import { nodeObject } from '../../../support/kube-objects.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

class Bench {
  readonly clock = new ManualClock();
  readonly api = new MemoryApi(this.clock);
  readonly random = seededRandom(5);
  readonly gate = new ServerGate(this.clock, this.random);
  readonly recording = recordingLog();
  changes = 0;
  readonly nodes: Reflector<NodeFacts>;

  constructor() {
    const { api, clock, random, gate } = this;
    const { log } = this.recording;
    const kind = { name: 'nodes', path: '/api/v1/nodes', read: nodeFacts };
    this.nodes = new Reflector(kind, { api, clock, random, gate, log }, () => (this.changes += 1));
  }

  static async start(prepare: (bench: Bench) => void = () => undefined): Promise<Bench> {
    const bench = new Bench();
    bench.put('n1');
    prepare(bench);
    bench.nodes.start();
    await bench.clock.elapse(0);
    return bench;
  }

  put(name: string): void {
    this.api.put('nodes', name, nodeObject({ name }));
  }

  get names(): readonly string[] {
    return [...this.nodes.items.keys()];
  }

  /** Questions since the last time. */
  get asked(): readonly string[] {
    return this.api.asked.splice(0);
  }
}

test('a kind is listed once and then followed', async () => {
  const bench = await Bench.start();
  assert.deepEqual(bench.names, ['n1']);
  assert.deepEqual(bench.nodes.report(), { state: 'fresh', ageMs: 0 });
  bench.put('n2');
  bench.api.delete('nodes', 'n1');
  assert.deepEqual(bench.names, ['n2']);
  assert.deepEqual(bench.asked, ['list nodes', 'watch nodes']);
});

test('a heartbeat, which changes nothing of what is kept, is no change', async () => {
  const bench = await Bench.start();
  const { changes } = bench;
  const [before] = bench.nodes.items.values();
  bench.put('n1');
  assert.equal(bench.changes, changes);
  assert.equal([...bench.nodes.items.values()][0], before, 'the object that was known stays');
  bench.put('n2');
  assert.equal(bench.changes, changes + 1);
});

test('a watch that ends in order goes on from its last event or bookmark, at once and without a list', async () => {
  const bench = await Bench.start();
  bench.api.passBy();
  bench.api.bookmark();
  // What a server forgets before the bookmark does not matter any more.
  bench.api.forget();
  await bench.clock.elapse(WATCH_SECONDS.to * 1000);
  bench.put('n2');
  assert.deepEqual(bench.names, ['n1', 'n2']);
  assert.deepEqual(bench.asked, ['list nodes', 'watch nodes', 'watch nodes']);
  await bench.clock.elapse(600_000);
  assert.deepEqual([...new Set(bench.asked)], ['watch nodes']);
  assert.deepEqual(bench.recording.said, [], 'an orderly end is nothing to tell');
});

test('a watch that went silent is noticed within a minute and begun anew; what happened meanwhile is seen', async () => {
  const bench = await Bench.start((of) => (of.api.silent = true));
  bench.put('n2');
  await bench.clock.elapse(WATCH_SECONDS.from * 1000 + GRACE_MS - 1);
  assert.deepEqual(bench.names, ['n1']);
  bench.api.silent = false;
  await bench.clock.elapse((WATCH_SECONDS.to - WATCH_SECONDS.from) * 1000 + 1);
  assert.ok(bench.clock.nowMs() <= 60_000);
  assert.deepEqual(bench.names, ['n1', 'n2']);
  assert.equal(bench.api.openWatches, 1, 'the silent one is let go of');
  assert.match(JSON.stringify(bench.recording.said), /went silent/);
});

test('a version that is forgotten leads to one list, and what is gone meanwhile is gone', async () => {
  const bench = await Bench.start();
  bench.api.silent = true;
  bench.api.delete('nodes', 'n1');
  bench.put('n9');
  bench.api.forget();
  bench.api.silent = false;
  bench.api.endWatches(null);
  await bench.clock.elapse(1000);
  assert.deepEqual(bench.names, ['n9']);
  assert.deepEqual(bench.asked, ['list nodes', 'watch nodes', 'watch nodes', 'list nodes', 'watch nodes']);
});

describe('a server that is away', () => {
  test('leaves what is known, marked as stale', async () => {
    const bench = await Bench.start();
    bench.api.fault = () => AWAY;
    bench.api.endWatches(AWAY);
    await bench.clock.elapse(120_000);
    assert.deepEqual(bench.names, ['n1']);
    assert.equal(bench.nodes.report().state, 'stale');
    assert.equal(bench.gate.isOpen, false);
    bench.api.fault = null;
    await bench.clock.elapse(31_000);
    assert.deepEqual(bench.nodes.report().state, 'fresh');
  });

  test('is asked with growing waits, half a minute at most', async () => {
    const bench = await Bench.start();
    bench.api.fault = () => AWAY;
    bench.api.endWatches(AWAY);
    const asked = bench.asked.length;
    await bench.clock.elapse(600_000);
    // 0.5, 1, 2, 4, 8, 16 s and then 30, each less up to half, and up to a second more.
    assert.ok(bench.asked.length - asked < 45, 'ten minutes');
  });

  test('that asks to be left alone (429, Retry-After) is, for as long as it says', async () => {
    const bench = await Bench.start();
    const busy: ApiFailure = { ok: false, status: 429, problem: 'too many requests (429)', retryAfterMs: 20_000 };
    bench.api.fault = () => busy;
    bench.api.endWatches(null);
    await bench.clock.elapse(1000);
    assert.deepEqual(bench.asked.length, 3);
    bench.api.fault = null;
    await bench.clock.elapse(18_000);
    assert.deepEqual(bench.asked, []);
    await bench.clock.elapse(3000);
    assert.deepEqual(bench.asked, ['watch nodes']);
  });
});

test('a kind that is not allowed or not there is absent, is asked for again after a minute, and comes back when it can', async () => {
  const forbidden: ApiFailure = { ok: false, status: 403, problem: 'nodes is forbidden (403)', retryAfterMs: null };
  const bench = await Bench.start((of) => (of.api.fault = () => forbidden));
  assert.deepEqual(bench.nodes.report(), { state: 'absent', ageMs: null });
  assert.equal(bench.nodes.problem, 'nodes is forbidden (403)');
  assert.equal(bench.gate.isOpen, true, 'other kinds go on');
  await bench.clock.elapse(300_000);
  assert.ok(bench.asked.length <= 6);
  bench.api.fault = null;
  await bench.clock.elapse(90_000);
  assert.equal(bench.nodes.report().state, 'fresh');
});

test('a server that ends each watch at once, with nothing to tell, is not stormed', async () => {
  const bench = await Bench.start();
  for (let second = 0; second < 600; second += 1) {
    bench.api.endWatches(null);
    await bench.clock.elapse(1);
    bench.api.endWatches(null);
    await bench.clock.elapse(99);
  }
  // A minute: doubling from a quarter of a second to half a minute.
  assert.ok(bench.asked.length < 16, 'a minute');
});

test('an event that is not known, and one that makes no sense, are not skipped over: all is listed', async () => {
  for (const line of [{ type: 'RENAMED', object: {} }, 17, { type: 'ERROR', object: { code: 410 } }]) {
    const bench = await Bench.start();
    bench.api.say(line);
    await bench.clock.elapse(40_000);
    assert.ok(bench.asked.includes('list nodes'), JSON.stringify(line));
    assert.deepEqual(bench.names, ['n1']);
  }
});

test('pages whose continuation is too old are listed from the beginning', async () => {
  let first = true;
  const expired: ApiFailure = { ok: false, status: 410, problem: 'the provided continue parameter is too old (410)', retryAfterMs: null };
  const bench = await Bench.start((of) => {
    for (let n = 2; n <= 120; n += 1) of.put(`n${n}`);
    of.api.fault = (path) => {
      if (!path.includes('continue') || !first) return null;
      first = false;
      return expired;
    };
  });
  await bench.clock.elapse(1000);
  assert.equal(bench.nodes.items.size, 120);
  assert.deepEqual(bench.asked, ['list nodes', 'page nodes', 'list nodes', 'page nodes', 'page nodes', 'watch nodes']);
});

test('closed, it lets go of its watch and asks for nothing more', async () => {
  const bench = await Bench.start();
  bench.nodes.close();
  await bench.clock.elapse(600_000);
  assert.equal(bench.api.openWatches, 0);
  assert.deepEqual(bench.asked, ['list nodes', 'watch nodes']);
});

test('a simulated day of restarts: no watch is stuck, and each restart costs two lists at most', async (t) => {
  const bench = await Bench.start();
  const random = seededRandom(11);
  let restarts = 0;
  let lists = 0;
  for (let nodes = 2; bench.clock.nowMs() < 24 * 3_600_000; nodes += 1) {
    // A server of some minutes, with changes, bookmarks and orderly ends, that then is away for up to two.
    await bench.clock.elapse(60_000 + random() * 600_000);
    bench.api.fault = () => AWAY;
    if (random() < 0.5) bench.api.endWatches(AWAY);
    else bench.api.silent = true;
    if (random() < 0.5) {
      // Something happens that the agent does not hear of, and is forgotten.
      bench.api.passBy();
      bench.api.forget();
    }
    await bench.clock.elapse(random() * 120_000);
    bench.api.fault = null;
    bench.api.silent = false;
    restarts += 1;
    bench.put(`n${nodes}`);
    await bench.clock.elapse(100_000);
    assert.ok(bench.names.includes(`n${nodes}`), `restart ${restarts}`);
    assert.equal(bench.nodes.report().state, 'fresh', `restart ${restarts}`);
    assert.equal(bench.api.openWatches, 1);
    lists += bench.asked.filter((what) => what === 'list nodes').length;
    assert.ok(lists <= 1 + 2 * restarts, `${lists} lists after ${restarts} restarts`);
  }
  t.diagnostic(`${restarts} restarts, ${lists} lists`);
  assert.ok(restarts > 100, String(restarts));
});
