// Purges of a fleet: two real edge hosts with two workers each, a real Redis, and clients that ask all the time. Once the command has returned, nobody gets
// anything that is older, whoever fetched it, and whoever hung, died or was away meanwhile.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import type { CacheView, ChangeResult, RevisionView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeFleetKeys, redisOf } from '../support/fleet-hosts.ts';
import { PATIENT_PROBES, startOrigin } from '../support/origin.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 20_000;

/** Says the number of its edition on every page. */
class Press {
  edition = 1;
  /** What is added to how long pages hold. */
  more = '';
  /** Answers of `/slow` that wait, each with its page; null: they do not. */
  held: { readonly response: ServerResponse; readonly page: string }[] | null = null;

  answer(path: string, response: ServerResponse): void {
    response.setHeader('cache-control', `max-age=3600${this.more}`).setHeader('cache-tag', `${path.split('/')[1] ?? ''}, all`);
    const page = String(this.edition);
    response.setHeader('content-length', page.length);
    if (this.held === null || !path.startsWith('/slow')) return void response.end(page);
    response.flushHeaders();
    this.held.push({ response, page });
  }

  release(): void {
    for (const { response, page } of this.held ?? []) response.end(page);
    this.held = null;
  }
}

interface FleetUnderTest {
  readonly hosts: readonly [Appliance, Appliance];
  readonly redis: RedisServer;
  readonly press: Press;
}

async function startFleet(t: TestContext): Promise<FleetUnderTest> {
  const redis = await startRedis(t);
  const press = new Press();
  const origin = await startOrigin(t, (request, response) => press.answer(request.url ?? '', response));
  const keys = makeFleetKeys(t);
  const yaml = `clusters: { one: { endpoints: ["${origin.endpoint}"], health: ${PATIENT_PROBES} } }
services: { paper: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { one: {} } } }, split: { blue: 1, green: 1 } } }
routes:
  - { name: news, match: { path: /news }, service: paper, filters: [{ cache: { wait: 0 } }] }
  - { name: rest, match: { path: / }, service: paper, filters: [{ cache: { wait: 0 } }] }
`;
  const start = (name: string): Promise<Appliance> =>
    startAppliance(t, { yaml: `host: { name: ${name} }\n${yaml}`, workers: 2, redis: redisOf(redis.port, keys), untilProbed: true });
  const hosts = await Promise.all([start('edge-1'), start('edge-2')]);
  for (const host of hosts)
    await until(async () => /^edge-2/m.test((await host.weir('get', 'edges')).stdout), 'the hosts know each other', SETTLE_MS);
  return { hosts, redis, press };
}

/** On connections of their own, so that all workers are asked. */
async function editions(host: Appliance, path: string): Promise<ReadonlySet<string>> {
  return new Set(await Promise.all(Array.from({ length: 16 }, async () => (await host.get(path)).body)));
}

async function everywhere({ hosts }: FleetUnderTest, path: string): Promise<ReadonlySet<string>> {
  return new Set((await Promise.all(hosts.map((host) => editions(host, path)))).flatMap((one) => [...one]));
}

async function purge(
  host: Appliance,
  args: readonly string[],
  code = 0,
): Promise<{ readonly result: ChangeResult; readonly stderr: string }> {
  const done = await host.weir('cache', 'purge', ...args, '-o', 'json');
  assert.equal(done.code, code, done.stderr);
  return { result: (JSON.parse(done.stdout) as { readonly items: readonly [ChangeResult] }).items[0], stderr: done.stderr };
}

/** Every request begins after the one before; what each got, and when it began. */
class Reader {
  readonly got: { readonly atMs: number; readonly edition: number }[] = [];
  #over = false;
  readonly #done: Promise<void>;

  constructor(host: Appliance, path: string) {
    this.#done = this.#read(host, path);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#done;
  }

  async #read(host: Appliance, path: string): Promise<void> {
    while (!this.#over) {
      const atMs = performance.now();
      const { status, body } = await host.get(path);
      assert.equal(status, 200);
      this.got.push({ atMs, edition: Number(body) });
    }
  }
}

test('two hosts purge what they have stored', { timeout: 180_000 }, async (t) => {
  const fleet = await startFleet(t);
  const { hosts, redis, press } = fleet;
  const [one, two] = hosts;
  const host = new URL(one.url()).hostname;
  let day = 0;
  /** Pages of another day are stored by all workers, and there is a newer edition of them. */
  const fill = async (): Promise<void> => {
    day += 1;
    const edition = new Set([String(press.edition)]);
    for (const name of ['news', 'sport']) assert.deepEqual(await everywhere(fleet, `/${name}/${day}`), edition);
    press.edition += 1;
    for (const name of ['news', 'sport']) assert.deepEqual(await everywhere(fleet, `/${name}/${day}`), edition);
  };
  /** Of news and sport: which are of the new edition in all workers; the others are as they were. */
  const renewed = async (): Promise<string> => {
    const names = await Promise.all(
      ['news', 'sport'].map(async (name) => {
        const seen = await everywhere(fleet, `/${name}/${day}`);
        assert.equal(seen.size, 1, `${name}: ${[...seen].join()}`);
        return seen.has(String(press.edition)) ? name : '';
      }),
    );
    return names.join(' ').trim();
  };

  /** However long some of them take. */
  const untilRenewed = async (): Promise<void> => {
    for (const name of ['news', 'sport']) {
      const isNew = async (): Promise<boolean> => [...(await everywhere(fleet, `/${name}/${day}`))].join() === String(press.edition);
      await until(isNew, `${name} is new in all workers`, SETTLE_MS);
    }
  };

  await t.test('by URL, by the beginning of a path, by tag and by route, all of them and nothing else', async () => {
    const named: readonly (readonly [string, () => readonly string[]])[] = [
      ['news', () => ['--url', `https://${host}/news/${day}`]],
      ['sport', () => ['--prefix', '/sport/', '/other', '--host', host]],
      ['news', () => ['--tag', 'all', '--route', 'news']],
      ['news sport', () => ['--tag', 'sport', 'news']],
    ];
    for (const [index, [names, args]] of named.entries()) {
      await fill();
      const { result } = await purge(hosts[index % 2] ?? one, args());
      assert.deepEqual([result.applied?.laggards, result.applied?.fleet], [[], { hosts: 2, acknowledged: 2, laggards: [] }]);
      assert.equal(await renewed(), names, args().join(' '));
    }
  });

  await t.test('nobody who asks after the command has returned gets anything older, under load', async () => {
    const readers = hosts.flatMap((at) => ['/news/today', '/news/today', '/sport/today'].map((path) => new Reader(at, path)));
    const returned: { readonly atMs: number; readonly edition: number }[] = [];
    for (const args of [
      ['--tag', 'all'],
      ['--url', `http://${host}/news/today`, '--prefix', '/sport'],
      ['--all', '--yes'],
      ['--tag', 'news', '--tag', 'sport'],
    ]) {
      press.edition += 1;
      const { edition } = press;
      await purge(hosts[edition % 2] ?? one, args);
      returned.push({ atMs: performance.now(), edition });
    }
    await Promise.all(readers.map((reader) => reader.end()));
    let checked = 0;
    for (const { atMs, edition } of readers.flatMap(({ got }) => got)) {
      const least = returned.findLast((one) => one.atMs < atMs)?.edition ?? 0;
      assert.ok(edition >= least, `${edition} after the purge of ${least}`);
      checked += least > 0 ? 1 : 0;
    }
    assert.ok(checked > 50, `${checked}`);
  });

  await t.test('what was on its way is not stored', async () => {
    press.held = [];
    const waiting = hosts.map((at) => at.get('/slow/page'));
    await until(() => press.held?.length === 2, 'the service is asked');
    const before = String(press.edition);
    press.edition += 1;
    await purge(one, ['--tag', 'slow']);
    press.release();
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ body }) => body),
      [before, before],
    );
    assert.deepEqual(await everywhere(fleet, '/slow/page'), new Set([String(press.edition)]));
  });

  await t.test('one that is soft leaves what it ends to be served until the new one is there', async () => {
    press.more = ', stale-while-revalidate=600';
    await fill();
    await purge(two, ['--prefix', '/news', '--soft']);
    const after = await editions(one, `/news/${day}`);
    assert.ok(after.has(String(press.edition - 1)), 'what has ended is served once more');
    await until(async () => (await everywhere(fleet, `/news/${day}`)).size === 1, 'all serve the new one', SETTLE_MS);
    assert.equal(await renewed(), 'news');
    press.more = '';
  });

  await t.test('a worker that hangs is named, and purges before it serves again', async () => {
    await fill();
    const [hung = 0] = one.pids().workers;
    process.kill(hung, 'SIGSTOP');
    const { result, stderr } = await purge(one, ['--all', '--yes'], 8);
    process.kill(hung, 'SIGCONT');
    assert.equal(result.applied?.laggards.length, 1);
    assert.match(stderr, /^weir: not applied yet by w\d$/m);
    assert.equal((await one.weir('wait', '--for', `revision:${result.revision}`, '--timeout', '20s')).code, 0);
    assert.equal(await renewed(), 'news sport');
  });

  await t.test('a host that is away is named, and purges when it comes back', async () => {
    await fill();
    const { controller } = two.pids();
    process.kill(controller, 'SIGSTOP');
    const { result } = await purge(one, ['--tag', 'all'], 8);
    assert.match(result.applied?.fleet?.laggards.join() ?? '', /^edge-2 \(/);
    assert.deepEqual(await editions(one, `/news/${day}`), new Set([String(press.edition)]));
    assert.deepEqual(await editions(two, `/news/${day}`), new Set([String(press.edition - 1)]));
    process.kill(controller, 'SIGCONT');
    await untilRenewed();
  });

  await t.test('processes that were killed meanwhile serve nothing that was purged', async () => {
    await fill();
    const { controller, workers } = two.pids();
    process.kill(controller, 'SIGKILL');
    process.kill(workers[0] ?? 0, 'SIGKILL');
    await one.weir('cache', 'purge', '--tag', 'all');
    await untilRenewed();
    await until(async () => (await two.status().catch(() => null))?.workersReady === 2, 'the other worker is there too', SETTLE_MS);
    await untilRenewed();
  });

  await t.test('while the fleet cannot be asked nothing is purged, and the command says so', async () => {
    await fill();
    await redis.kill();
    const { code, stderr } = await one.weir('cache', 'purge', '--tag', 'all');
    assert.equal(code, 3, stderr);
    assert.equal(await renewed(), '');
    await redis.start();
    await until(async () => (await one.weir('cache', 'purge', '--tag', 'all')).code === 0, 'it is purged', SETTLE_MS);
    assert.equal(await renewed(), 'news sport');
  });

  await t.test('each is in the audit, and no undo takes one back', async () => {
    assert.equal((await one.weir('shift', 'paper', 'green=10', '--yes')).code, 0);
    await purge(one, ['--tag', 'news', '--url', `http://${host}/a?b=1`, '--reason', 'a wrong headline']);
    const { items } = JSON.parse((await two.weir('get', 'revisions', '--limit', '1', '-o', 'json')).stdout) as {
      readonly items: readonly RevisionView[];
    };
    assert.deepEqual(
      [items[0]?.change, items[0]?.reason],
      [{ kind: 'purge', urls: [`http://${host}/a?b=1`], tags: ['news'] }, 'a wrong headline'],
    );
    assert.match((await two.weir('history')).stdout, /cache purge --url \S+ --tag news/);
    assert.match((await one.weir('undo', '--yes')).stdout, /took back revision \d+/);
    assert.deepEqual((await two.status()).services[0]?.split, { blue: 50, green: 50 });
    for (const at of hosts) assert.equal((await at.weir('audit', 'verify')).code, 0);
  });

  await t.test('what is asked for is checked before, and shown', async () => {
    const cases: readonly (readonly [number, RegExp, ...string[]])[] = [
      [2, /--host is for --prefix/, '--host', 'a.example'],
      [5, /there is no route "new"; did you mean "news"\?/, '--route', 'new'],
      [7, /everything that route news has stored would be dropped/, '--route', 'news'],
      [10, /dry run: cache: what is stored is dropped: tag a; nothing was changed/, '--tag', 'a', '--dry-run'],
    ];
    for (const [code, said, ...args] of cases) {
      const done = await one.weir('cache', 'purge', ...args);
      assert.equal(done.code, code, `${args.join(' ')}: ${done.stderr}`);
      assert.match(`${done.stdout}${done.stderr}`, said);
    }
  });

  await t.test('what is stored, and how much of it is asked for, is shown by route', async () => {
    await everywhere(fleet, '/news/today');
    const list = async (): Promise<readonly CacheView[]> =>
      (JSON.parse((await one.weir('get', 'cache', '-o', 'json')).stdout) as { readonly items: readonly CacheView[] }).items;
    await until(async () => ((await list())[0]?.objects ?? 0) >= 1, 'it is counted', SETTLE_MS);
    const [news] = await list();
    assert.deepEqual([news?.route, news?.service], ['news', 'paper']);
    assert.ok((news?.bytes ?? 0) > 0 && (news?.hitRatio ?? 0) > 0 && (news?.purged ?? 0) > 0, JSON.stringify(news));
    assert.match((await one.weir('describe', 'route', 'news')).stdout, /^cache:\n {2}hit ratio: +0\.\d+\n {2}objects: +\d+$/m);
  });
});
