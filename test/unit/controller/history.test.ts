// The history of a host on simulated time: what was counted is told in every step, is kept as long as it says, and survives a process that dies.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { emptyPoint, PointWriter, readPoints, type Point } from '../../../balancer/telemetry/history/points.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import { counted, RecordedHistory, SHOP, START_MS, total } from '../../support/recorded-history.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

test('what was counted is told second by second, by service, version, cluster and all together', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(30, (second) => [
    ...counted(SHOP, 10 + second, { errors: 1 }),
    ...counted({ ...SHOP, version: 'green', cluster: 'us' }, 5, { tookMs: 200 }),
  ]);
  const from = String(START_MS);
  const shop = recorded.one({ series: 'service/shop', from, step: '1s' });
  assert.deepEqual([shop.startMs, shop.stepMs, shop.rps.length], [START_MS, 1000, 30]);
  assert.deepEqual(shop.rps.slice(0, 3), [15, 16, 17]);
  assert.equal(shop.errorRatio[0], 1 / 15);
  const [blue, green] = recorded.ask({ series: 'version/shop/blue,version/shop/green', from, step: '1s' });
  assert.deepEqual([blue?.rps[5], green?.rps[5]], [15, 5]);
  assert.ok((blue?.p99Ms[5] ?? 0) <= 10 && (green?.p50Ms[5] ?? 0) >= 150, `${blue?.p99Ms[5] ?? 0} ms and ${green?.p50Ms[5] ?? 0} ms`);
  assert.deepEqual(
    ['cluster/eu', 'cluster/us', 'all'].map((series) => total(recorded.one({ series, from }))),
    [735, 150, 885],
  );
});

test('percentiles of a longer step are those of all its requests, not of its seconds', (t) => {
  const recorded = new RecordedHistory(t);
  // One slow second of ten: its percentiles are 2 s, those of the ten are not.
  recorded.pass(10, (second) => counted(SHOP, second === 3 ? 5 : 100, { tookMs: second === 3 ? 2000 : 10 }));
  recorded.pass(10, () => counted(SHOP, 1));
  const ten = recorded.one({ series: 'service/shop', from: String(START_MS), to: String(START_MS + 10_000), step: '10s', histogram: true });
  assert.ok((ten.p95Ms[0] ?? Infinity) <= 10, `p95 ${ten.p95Ms[0] ?? 0} ms`);
  assert.ok((ten.p99Ms[0] ?? Infinity) <= 10);
  assert.deepEqual([ten.histogram?.[0]?.reduce((sum, count) => sum + count, 0), ten.boundsMs?.length], [905, BUCKETS - 1]);
});

test('a service that nobody asks for has 0, and a host that does not run has nothing', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(20, () => counted(SHOP, 4));
  recorded.pass(20);
  recorded.history.close();
  recorded.nowMs += 60_000;
  recorded.die();
  recorded.pass(20, () => counted(SHOP, 4));
  const { rps, p95Ms } = recorded.one({ series: 'service/shop', from: String(START_MS), step: '1s' });
  assert.deepEqual([rps[10], rps[30], rps[70], rps[110]], [4, 0, null, 4]);
  assert.equal(p95Ms[30], null);
});

test('a process that is killed loses the second that runs at most, in all steps', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(3 * HOUR + 17 * MINUTE + 5, () => counted(SHOP, 2));
  recorded.die();
  // What runs of a shorter step counts in a longer one when it is over.
  recorded.pass(MINUTE);
  const told = { series: 'service/shop', from: String(START_MS), points: 5000 };
  for (const step of ['10s', '1m', '1h'] as const) {
    const lost = 2 * (3 * HOUR + 17 * MINUTE + 5) - total(recorded.one({ ...told, step }));
    assert.ok(lost >= 0 && lost <= 2, `of steps of ${step} ${lost} requests are lost`);
  }
  recorded.pass(2 * HOUR, () => counted(SHOP, 2));
  recorded.pass(MINUTE);
  const all = 2 * (5 * HOUR + 17 * MINUTE + 5);
  for (const step of ['10s', '1m', '1h'] as const) {
    const lost = all - total(recorded.one({ ...told, step }));
    assert.ok(lost >= 0 && lost <= 2, `afterwards ${lost} of steps of ${step}`);
  }
});

test('one that is killed again and again, at any second, loses no more, and no second is there twice', (t) => {
  const recorded = new RecordedHistory(t);
  const random = seededRandom(9);
  let asked = 0;
  let deaths = 0;
  for (let life = 0; life < 40; life += 1) {
    const seconds = 1 + Math.floor(random() * 25);
    recorded.pass(seconds, () => counted(SHOP, 7));
    asked += 7 * seconds;
    if (random() < 0.5) recorded.history.close();
    else deaths += 1;
    recorded.die();
  }
  for (const step of ['1s', '10s', '1m'] as const) {
    const lost = asked - total(recorded.one({ series: 'service/shop', from: String(START_MS), step, points: 5000 }));
    assert.ok(lost >= 0 && lost <= 7 * deaths, `of steps of ${step} ${lost} requests are lost in ${deaths} deaths`);
  }
});

test('one that is asked to end loses nothing', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(1234, () => counted(SHOP, 3));
  recorded.history.close();
  recorded.die();
  assert.equal(total(recorded.one({ series: 'all', from: String(START_MS), step: '10s' })), 3702);
});

test('each step is kept for as long as it says, and the finest that reaches back is chosen', (t) => {
  const recorded = new RecordedHistory(t);
  // One request a minute: eight days go by in no time.
  for (let minute = 0; minute < (8 * DAY) / MINUTE; minute += 1) {
    recorded.history.add(counted(SHOP, 1));
    recorded.history.tick([]);
    recorded.nowMs += 60_000;
  }
  recorded.pass(1);
  const ago = (seconds: number): string => String(recorded.nowMs - seconds * 1000);
  const stepOf = (seconds: number): number => recorded.one({ series: 'all', from: ago(seconds), points: 5000 }).stepMs;
  assert.deepEqual([stepOf(5 * MINUTE), stepOf(5 * HOUR), stepOf(3 * DAY), stepOf(8 * DAY)], [1000, 10_000, 60_000, 3_600_000]);
  const kept = (step: '10s' | '1m' | '1h'): number =>
    total(recorded.one({ series: 'service/shop', from: String(START_MS), step, points: 5000 }));
  assert.ok(kept('10s') >= 360 && kept('10s') <= 370, `of 6 hours: ${kept('10s')}`);
  assert.ok(kept('1m') >= 7 * 1440 && kept('1m') <= 7 * 1440 + 61, `of 7 days: ${kept('1m')}`);
  assert.equal(kept('1h'), 8 * 1440);
});

test('neighbours are added up where there are more points than are wanted', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(600, () => counted(SHOP, 6));
  const few = recorded.one({ series: 'service/shop', from: String(START_MS), step: '1s', points: 20 });
  assert.deepEqual([few.rps.length, few.stepMs, few.rps[7], total(few)], [20, 30_000, 6, 3600]);
});

test('of more series than may be kept those with the most requests are, and how many are not is told', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.maxSeries = 20;
  recorded.pass(40, () =>
    Array.from({ length: 30 }, (_, index) => counted({ service: `s${index}`, version: 'blue', cluster: 'eu' }, index + 1)).flat(),
  );
  const from = String(START_MS + 20_000);
  assert.ok(recorded.dropped.length > 0);
  assert.ok(total(recorded.one({ series: 'service/s29', from })) > 0);
  assert.equal(total(recorded.one({ series: 'service/s0', from })), 0);
  assert.ok(total(recorded.one({ series: 'all', from })) > 0, 'that of all is always kept');
});

test('the file stays within its bound, and the oldest part goes first', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.maxBytes = 400_000;
  const places = Array.from({ length: 40 }, (_, index) => ({ service: `s${index}`, version: 'blue', cluster: 'eu' }));
  recorded.pass(2 * HOUR, (second) => places.flatMap((place) => counted(place, 100 + second, { tookMs: 1 + (second % 500) })));
  const size = statSync(recorded.path).size;
  assert.ok(size < 2 * recorded.maxBytes, `${size} bytes`);
  assert.deepEqual(recorded.problems, []);
  const { rps } = recorded.one({ series: 'all', from: String(recorded.nowMs - 60_000), step: '10s' });
  assert.ok(
    rps.some((one) => one !== null && one > 0),
    'the newest is there',
  );
});

test('shares and health are told as they were', (t) => {
  const recorded = new RecordedHistory(t);
  const standing = (health: string, desired: number) => [
    { series: 'cluster/eu', health },
    { series: 'version/shop/blue', desired, effective: desired / 2 },
  ];
  recorded.pass(10, () => counted(SHOP, 1), standing('up', 900_000));
  recorded.pass(3, () => counted(SHOP, 1), standing('down', 900_000));
  recorded.pass(17, () => counted(SHOP, 1), standing('up', 500_000));
  const from = String(START_MS);
  const [cluster, version] = recorded.ask({ series: 'cluster/eu,version/shop/blue', from, step: '10s' });
  assert.deepEqual(cluster?.health, ['up', 'down', 'up']);
  assert.deepEqual([version?.desiredShare?.[0], version?.effectiveShare?.[0], version?.desiredShare?.[1]], [0.9, 0.45, 0.5]);
});

test('a star is all of a kind, those with the most requests first', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(30, () => ['a', 'b', 'c'].flatMap((service, index) => counted({ ...SHOP, service }, [2, 9, 4][index] ?? 0)));
  const names = recorded.ask({ series: 'service/*', limit: 2 }).map(({ series }) => series);
  assert.deepEqual(names, ['service/b', 'service/c']);
});

test('a question that makes no sense is told what was expected', (t) => {
  const recorded = new RecordedHistory(t);
  for (const [request, what] of [
    [{ series: 'route/x' }, /expected all, service\/NAME/],
    [{ series: 'version/shop' }, /expected all/],
    [{ series: 'all', from: 'yesterday' }, /2026-11-21T10:00:00Z/],
    [{ series: 'all', from: '2000', to: '1000' }, /after query.from/],
    [{ series: 'service/nope' }, /nothing is known of service\/nope/],
  ] as const)
    assert.throws(() => recorded.ask(request), what);
});

test('a file that was damaged is put aside, and the history begins anew', (t) => {
  const recorded = new RecordedHistory(t);
  recorded.pass(20, () => counted(SHOP, 1));
  recorded.history.close();
  writeFileSync(recorded.path, 'this is no database, and long enough to be read as one of them'.repeat(200));
  recorded.die();
  assert.match(recorded.problems[0] ?? '', /begins anew/);
  assert.match(readFileSync(`${recorded.path}.unusable`, 'utf8'), /no database/);
  recorded.pass(20, () => counted(SHOP, 1));
  assert.equal(total(recorded.one({ series: 'all', from: String(START_MS + 20_000) })), 20);
});

test('points come out of their bytes as they went in, and damaged bytes are no points', () => {
  const random = seededRandom(3);
  const points = Array.from({ length: 200 }, (): Point => {
    const point = emptyPoint();
    point.requests = Math.floor(random() ** 6 * 2 ** 40);
    point.errors = Math.floor(random() * point.requests);
    point.health = Math.floor(random() * 5);
    point.desired = Math.floor(random() * 1_000_001) - (random() < 0.1 ? 1 : 0);
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) if (random() < 0.3) point.buckets[bucket] = 1 + Math.floor(random() * 2 ** 33);
    return point;
  });
  const writer = new PointWriter();
  points.forEach((point, index) => writer.add(index * 3, point));
  const bytes = writer.bytes().slice();
  const read: Point[] = [];
  readPoints(bytes, (offset, point) => {
    assert.equal(offset, read.length * 3);
    read.push({ ...point, buckets: point.buckets.slice() });
  });
  assert.deepEqual(read, points);
  readPoints(bytes.subarray(0, bytes.length - 1), () => undefined);
  readPoints(new Uint8Array(100).fill(255), () => assert.fail('these are no points'));
});
