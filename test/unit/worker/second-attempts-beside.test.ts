// A request that takes longer than usual gets a second attempt beside the first, where the service asks for it: the first answer counts.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { logTo } from '../../support/access-log.ts';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { startPipelineBench, type PipelineBench, type Told } from '../../support/pipeline-bench.ts';
import { until } from '../../support/until.ts';

/** A request that has come to a place, and waits for the test. */
interface Arrival {
  /** The head, and a body that goes on. */
  begin(body: string): void;
  /** All of it, or the end of what was begun. */
  answer(body: string, status?: number): void;
  /** Breaks it off. */
  fail(): void;
  /** The balancer has given it up. */
  cancelled: boolean;
}

interface Site {
  readonly endpoint: string;
  readonly arrivals: readonly Arrival[];
}

async function http1Site(t: TestContext): Promise<Site> {
  const arrivals: Arrival[] = [];
  const { endpoint } = await startOrigin(t, (request, response) => {
    const arrival: Arrival = {
      begin: (body) => void response.write(body),
      answer: (body, status = 200) => {
        response.statusCode = response.headersSent ? response.statusCode : status;
        response.end(body);
      },
      fail: () => void request.socket.resetAndDestroy(),
      cancelled: false,
    };
    request.resume();
    response.on('close', () => (arrival.cancelled = !response.writableFinished));
    arrivals.push(arrival);
  });
  return { endpoint, arrivals };
}

async function http2Site(t: TestContext): Promise<Site> {
  const arrivals: Arrival[] = [];
  const { endpoint, sessions } = await startH2Origin(t, ({ stream }) => {
    const arrival: Arrival = {
      begin: (body) => {
        stream.respond({ ':status': 200 });
        stream.write(body);
      },
      answer: (body, status = 200) => {
        if (!stream.headersSent) stream.respond({ ':status': status });
        stream.end(body);
      },
      fail: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      cancelled: false,
    };
    // A stream is given up, and its connection is not.
    stream.on('close', () => (arrival.cancelled = stream.rstCode === constants.NGHTTP2_CANCEL && sessions.size === 1));
    arrivals.push(arrival);
  });
  return { endpoint, arrivals };
}

const AFTER_MS = 50;

interface Bench {
  readonly bench: PipelineBench;
  /** All first attempts come here. */
  readonly one: Site;
  readonly two: Site;
}

interface BenchOptions {
  readonly site?: (t: TestContext) => Promise<Site>;
  readonly retries?: object;
  readonly service?: object;
  /** Of the second place. */
  readonly limits?: object;
  readonly log?: ReturnType<typeof logTo>;
}

async function start(
  t: TestContext,
  { site = http1Site, retries = {}, service = {}, limits = {}, log }: BenchOptions = {},
): Promise<Bench> {
  const [one, two] = [await site(t), await site(t)];
  const placements = { one: { weight: 999_999 }, two: { weight: 1 } };
  const shop = {
    versions: { blue: { clusters: placements } },
    timeouts: { try: 0 },
    retries: { hedgeAfter: `${AFTER_MS}ms`, ...retries },
    ...service,
  };
  const clusters = { one: { endpoints: [one.endpoint] }, two: { endpoints: [two.endpoint], limits } };
  return { one, two, bench: startPipelineBench(t, { clusters, services: { shop } }, log) };
}

const arrived = (site: Site, count: number): Promise<void> => until(() => site.arrivals.length === count, `${count} requests have arrived`);
const ended = (told: Told): Promise<void> => until(() => told.ended, 'the request is over');

/** Asked, and both attempts are under way. */
async function hedged({ bench, one, two }: Bench): Promise<Told> {
  const [ones, twos] = [one.arrivals.length, two.arrivals.length];
  const told = bench.ask();
  await arrived(one, ones + 1);
  bench.clock.advance(AFTER_MS);
  await arrived(two, twos + 1);
  return told;
}

function nothingIsLeft({ bench }: Bench): void {
  assert.equal(bench.inFlight, 0);
  assert.equal(bench.clock.pending, 1, 'the sweep of the deadlines, and no other timer');
}

for (const [version, site] of [
  ['HTTP/1.1', http1Site],
  ['HTTP/2', http2Site],
] as const) {
  describe(`a second attempt beside the first over ${version}`, { concurrency: true }, () => {
    it('is sent when its time has come, and its answer is the one; the first is cancelled and leaves no evidence', async (t) => {
      const fleet = await start(t, { site });
      const { bench, one, two } = fleet;
      // Twice as many as would eject an endpoint.
      for (let count = 0; count < 10; count += 1) {
        const told = bench.ask();
        await arrived(one, count + 1);
        bench.clock.advance(AFTER_MS - 1);
        assert.equal(bench.count('weir_hedges_total', 'sent'), count);
        bench.clock.advance(1);
        await arrived(two, count + 1);
        two.arrivals[count]?.answer('two');
        await ended(told);
        assert.deepEqual([told.status, told.body], [200, 'two']);
        await until(() => one.arrivals[count]?.cancelled === true, 'the first attempt is cancelled');
      }
      assert.deepEqual(bench.ejections, []);
      assert.deepEqual([bench.count('weir_upstream_failures_total'), bench.count('weir_retries_total')], [0, 0]);
      assert.deepEqual([bench.count('weir_hedges_total', 'sent'), bench.count('weir_hedges_total', 'won')], [10, 10]);
      nothingIsLeft(fleet);
    });

    it('is cancelled when the first answers after all', async (t) => {
      const fleet = await start(t, { site });
      const { bench, one, two } = fleet;
      const told = await hedged(fleet);
      one.arrivals[0]?.begin('o');
      await until(() => two.arrivals[0]?.cancelled === true, 'the second attempt is cancelled with the first head');
      one.arrivals[0]?.answer('ne');
      await ended(told);
      assert.equal(told.body, 'one');
      assert.deepEqual([bench.count('weir_hedges_total', 'sent'), bench.count('weir_hedges_total', 'won')], [1, 0]);
      nothingIsLeft(fleet);
    });

    it('goes on alone when the first fails, and the first when it fails', async (t) => {
      const fleet = await start(t, { site });
      const { bench, one, two } = fleet;
      const first = await hedged(fleet);
      one.arrivals[0]?.fail();
      await until(() => bench.count('weir_upstream_failures_total', 'one') === 1, 'the failure is counted');
      two.arrivals[0]?.answer('two');
      await ended(first);
      const second = await hedged(fleet);
      two.arrivals[1]?.fail();
      await until(() => bench.count('weir_upstream_failures_total', 'two') === 1, 'the failure is counted');
      one.arrivals[1]?.answer('one');
      await ended(second);
      assert.deepEqual([first.body, second.body], ['two', 'one']);
      assert.equal(bench.count('weir_retries_total'), 0);
      nothingIsLeft(fleet);
    });

    it('is given up with the first when the client leaves', async (t) => {
      const fleet = await start(t, { site });
      const { one, two } = fleet;
      const told = await hedged(fleet);
      told.leave();
      await until(() => [one, two].every(({ arrivals }) => arrivals[0]?.cancelled === true), 'both are cancelled');
      nothingIsLeft(fleet);
    });
  });
}

describe('a second attempt beside the first', { concurrency: true }, () => {
  it('is not sent when an answer comes in time, nor for what must not be sent twice', async (t) => {
    const fleet = await start(t);
    const { bench, one, two } = fleet;
    const told = bench.ask();
    await arrived(one, 1);
    one.arrivals[0]?.answer('one');
    await ended(told);
    const post = bench.ask('POST');
    await arrived(one, 2);
    bench.clock.advance(10 * AFTER_MS);
    one.arrivals[1]?.answer('done');
    await ended(post);
    assert.deepEqual([two.arrivals.length, bench.count('weir_hedges_total')], [0, 0]);
    nothingIsLeft(fleet);
  });

  it('is not sent without room in the budget, and nobody waits for room', async (t) => {
    const fleet = await start(t, { retries: { budget: '0%', budgetMin: 1 } });
    const { bench, one, two } = fleet;
    const first = await hedged(fleet);
    const second = bench.ask();
    await arrived(one, 2);
    bench.clock.advance(AFTER_MS);
    assert.equal(bench.count('weir_hedges_total', 'refused'), 1);
    two.arrivals[0]?.answer('two');
    await ended(first);
    bench.clock.advance(10 * AFTER_MS);
    one.arrivals[1]?.answer('one');
    await ended(second);
    assert.deepEqual([first.body, second.body, two.arrivals.length], ['two', 'one', 1]);
    nothingIsLeft(fleet);
  });

  it('does not stand in line where a place is full', async (t) => {
    const fleet = await start(t, { limits: { requests: 1, queue: { length: 1, time: '10s' } } });
    const { bench, one, two } = fleet;
    const first = await hedged(fleet);
    const second = bench.ask();
    await arrived(one, 2);
    bench.clock.advance(AFTER_MS);
    assert.deepEqual([bench.count('weir_hedges_total'), bench.inFlight], [1, 3]);
    one.arrivals[1]?.answer('one');
    two.arrivals[0]?.answer('two');
    await Promise.all([ended(first), ended(second)]);
    const third = await hedged(fleet);
    two.arrivals[1]?.answer('room again');
    await ended(third);
    assert.deepEqual([first.body, second.body, third.body], ['two', 'one', 'room again']);
    nothingIsLeft(fleet);
  });

  it('follows a percentile of what first attempts take, and does not lower it by its own work', async (t) => {
    const { bench, one, two } = await start(t, { retries: { hedgeAfter: 'p85' } });
    const answeredIn = async (ms: number): Promise<void> => {
      const told = bench.ask();
      await arrived(one, one.arrivals.length + 1);
      bench.clock.advance(ms);
      one.arrivals.at(-1)?.answer('one');
      await ended(told);
    };
    const cutOffAt = async (ms: number): Promise<void> => {
      const sent = two.arrivals.length;
      const told = bench.ask();
      await arrived(one, one.arrivals.length + 1);
      bench.clock.advance(ms - 1);
      assert.equal(bench.count('weir_hedges_total', 'sent'), sent);
      bench.clock.advance(1);
      await arrived(two, sent + 1);
      two.arrivals.at(-1)?.answer('two');
      await ended(told);
    };
    // Of 20 answers 16 take 5 ms, two 10 ms and two longer, so the percentile is 10 ms; without the longer ones it would be 5 ms.
    for (let count = 0; count < 20; count += 1) await answeredIn(count % 10 === 0 ? 40 : count % 10 === 5 ? 10 : 5);
    assert.equal(two.arrivals.length, 0, 'nothing was known yet');
    // For longer than the two windows that count.
    for (let count = 0; count < 60; count += 1) {
      bench.clock.advance(500);
      if (count % 10 === 0) await cutOffAt(11);
      else await answeredIn(count % 10 === 5 ? 10 : 5);
    }
    assert.equal(bench.count('weir_hedges_total', 'won'), 6);
  });

  it('leaves all to the ordinary retries when both have failed', async (t) => {
    const fleet = await start(t);
    const { bench, one, two } = fleet;
    const told = await hedged(fleet);
    one.arrivals[0]?.fail();
    await until(() => bench.count('weir_upstream_failures_total', 'one') === 1, 'the failure is counted');
    assert.equal(told.ended, false);
    two.arrivals[0]?.fail();
    await ended(told);
    assert.equal(told.status, 502);
    assert.equal(bench.count('weir_upstream_failures_total', 'two'), 1);
    nothingIsLeft(fleet);
  });

  it('goes on alone when the first passes the limit of a try, which is evidence', async (t) => {
    const fleet = await start(t, { service: { timeouts: { try: '200ms' } } });
    const { bench, one, two } = fleet;
    const told = await hedged(fleet);
    // The limit is noticed by a sweep every 100 ms; that of the second began 50 ms later.
    bench.clock.advance(150);
    await until(() => one.arrivals[0]?.cancelled === true, 'the first attempt is cancelled');
    assert.equal(bench.count('weir_upstream_failures_total', 'one', 'try_timeout'), 1);
    assert.deepEqual([told.ended, two.arrivals[0]?.cancelled], [false, false]);
    two.arrivals[0]?.answer('two');
    await ended(told);
    assert.equal(told.body, 'two');
    nothingIsLeft(fleet);
  });

  it('may find a better answer than one that retries.on names, and each of them counts once', async (t) => {
    const fleet = await start(t, { retries: { on: [503] } });
    const { bench, one, two } = fleet;
    for (let count = 0; count < 5; count += 1) {
      assert.deepEqual(bench.ejections, [], 'fewer than five');
      const told = await hedged(fleet);
      one.arrivals[count]?.answer('come later', 503);
      await until(() => bench.inFlight === 1, 'the answer has come');
      assert.equal(told.status, 0);
      two.arrivals[count]?.answer('two');
      await ended(told);
      assert.deepEqual([told.status, told.body], [200, 'two']);
    }
    assert.deepEqual(
      bench.ejections.map(({ kind, cluster }) => [kind, cluster]),
      [['target', 'one']],
    );
    nothingIsLeft(fleet);
  });

  it('leaves the client a held answer when it fails', async (t) => {
    const fleet = await start(t, { retries: { on: [503] } });
    const { bench, one, two } = fleet;
    const told = await hedged(fleet);
    one.arrivals[0]?.answer('come later', 503);
    await until(() => bench.inFlight === 1, 'the answer has come');
    two.arrivals[0]?.fail();
    await ended(told);
    assert.deepEqual([told.status, told.body], [503, 'come later']);
    nothingIsLeft(fleet);
  });

  it('stays in the cluster to which clients are bound', async (t) => {
    const sticky = { mode: 'cookie', scope: 'cluster' };
    const fleet = await start(t, { service: { sticky } });
    const { bench, one, two } = fleet;
    const told = bench.ask();
    await arrived(one, 1);
    bench.clock.advance(10 * AFTER_MS);
    one.arrivals[0]?.answer('one');
    await ended(told);
    assert.deepEqual([told.body, two.arrivals.length], ['one', 0]);
  });

  it('counts as an attempt in the access log', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-hedges-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'access.log');
    const log = logTo(file);
    const fleet = await start(t, { log });
    const told = await hedged(fleet);
    fleet.two.arrivals[0]?.answer('two');
    await ended(told);
    await log.close();
    assert.match(readFileSync(file, 'utf8'), /"cluster":"two".*"attempts":2/);
  });
});
