// Processes are killed (`kill -9`) at random instants under load while changes are made: every acknowledged one must be there at the end.
// `npm run endure -- kills --kills 1000 --minutes 60 --store embedded|redis --seed 1`: until the one or the other is reached.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Appliance, startAppliance } from '../support/appliance.ts';
import { makeFleetKeys, redisOf } from '../support/fleet-hosts.ts';
import { KeptClients } from '../support/kept-clients.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';
import { Changer } from '../support/acknowledged.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    kills: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '60' },
    store: { type: 'string', default: 'embedded' },
    seed: { type: 'string', default: '1' },
  },
});
const kills = Number(values.kills);
const minutes = Number(values.minutes);
assert.ok(
  kills > 0 && minutes > 0 && ['embedded', 'redis'].includes(values.store),
  'expected --kills N, --minutes N, --store embedded or redis',
);

const SETTLE_MS = 120_000;
/** Of one supervisor: with more, its pauses before another start would be most of the time. */
const CONTROLLERS_PER_LIFE = 3;
/** From the start of a controller: it is killed while it starts, while it follows, and while it stores. */
const MOST_LIFE_MS = 4000;
/** Between two requests of each client: the machine is to be there for what is killed too. */
const PAUSE_MS = 10;

interface Victims {
  controllers: number;
  supervisors: number;
  redis: number;
}

/** Answered requests, and those that failed while a supervisor was there. */
interface Served {
  answered: number;
  failed: number;
}

class Lives {
  readonly victims: Victims = { controllers: 0, supervisors: 0, redis: 0 };
  readonly served: Served = { answered: 0, failed: 0 };
  readonly #redis: RedisServer | null;
  readonly #endMs = performance.now() + minutes * 60_000;
  readonly #random = seededRandom(Number(values.seed));
  #appliance: Appliance;

  constructor(appliance: Appliance, redis: RedisServer | null) {
    this.#appliance = appliance;
    this.#redis = redis;
  }

  get appliance(): Appliance {
    return this.#appliance;
  }

  get isOver(): boolean {
    return this.count >= kills || performance.now() >= this.#endMs;
  }

  get count(): number {
    return this.victims.controllers + this.victims.supervisors;
  }

  /** A supervisor from when it is ready to its violent end. */
  async live(): Promise<void> {
    const clients = new KeptClients(this.#appliance.url(), 2);
    const load = clients.load(PAUSE_MS);
    for (let at = 0; at < CONTROLLERS_PER_LIFE && !this.isOver; at += 1) {
      await this.#killController();
      if (this.#redis !== null && this.#random() < 0.5) await this.#killRedis(this.#redis);
    }
    await delay(this.#random() * MOST_LIFE_MS);
    const asked = await load.stop();
    clients.close();
    const failed = asked.filter(({ status }) => status === 0 || status >= 500).length;
    this.served.answered += asked.length - failed;
    this.served.failed += failed;
    if (!this.isOver) await this.#killSupervisor();
  }

  async #killController(): Promise<void> {
    await until(() => this.#appliance.pids().controller !== 0, 'a controller is there', SETTLE_MS);
    const { controller } = this.#appliance.pids();
    await delay(this.#random() * MOST_LIFE_MS);
    process.kill(controller, 'SIGKILL');
    this.victims.controllers += 1;
    await until(() => this.#appliance.pids().controller !== controller, 'it is gone', SETTLE_MS);
  }

  async #killSupervisor(): Promise<void> {
    const { directory, configFile } = this.#appliance;
    const { supervisor } = this.#appliance.pids();
    process.kill(supervisor, 'SIGKILL');
    this.victims.supervisors += 1;
    // The others end by themselves.
    await this.#appliance.ended;
    this.#appliance = new Appliance(directory, readFileSync(configFile, 'utf8'));
    await this.#appliance.ready();
  }

  async #killRedis(redis: RedisServer): Promise<void> {
    await redis.kill();
    this.victims.redis += 1;
    await redis.start();
  }
}

async function start(t: TestContext): Promise<Lives> {
  const { yaml } = await startTwoClusters(t);
  const redis = values.store === 'redis' ? await startRedis(t) : null;
  const shared = redis === null ? {} : { redis: redisOf(redis.port, makeFleetKeys(t)) };
  return new Lives(await startAppliance(t, { yaml, workers: 1, untilProbed: true, ...shared }), redis);
}

test(`kill -9, ${values.store}`, async (t) => {
  const lives = await start(t);
  t.after(() => lives.appliance.kill());
  const changer = new Changer(lives.appliance.socketPath);
  const startedMs = performance.now();
  while (!lives.isOver) {
    await lives.live();
    if (lives.count % 20 < CONTROLLERS_PER_LIFE + 1) process.stdout.write(`${lives.count} kills, ${changer.acknowledged} changes\n`);
  }
  const before = changer.acknowledged;
  await until(() => changer.acknowledged > before, 'changes go on', SETTLE_MS);
  await changer.stop();
  const lost = await changer.lost();
  const { victims, served } = lives;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  t.diagnostic(
    `killed in ${seconds} s: ${victims.controllers} controllers, ${victims.supervisors} supervisors, ${victims.redis} redis-servers; ` +
      `changes: ${changer.asked} asked for, ${changer.acknowledged} acknowledged, ${lost.length} lost; ` +
      `requests while a supervisor was there: ${served.answered} answered, ${served.failed} failed`,
  );
  assert.deepEqual(lost, []);
  assert.ok(await changer.isIntact(), 'the chain of the audit is whole');
  assert.equal(served.failed, 0);
});
