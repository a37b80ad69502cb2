// Hosts of a fleet in one process, with the workers' and the controllers' part of limits as they are, and a real Redis between them.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { systemClock, type Clock } from '../../health/clock.ts';
import { FleetLimits, type FleetLimit } from '../../balancer/controller/fleet/fleet-limits.ts';
import { Limits } from '../../balancer/controller/limits.ts';
import type { Decision } from '../../balancer/filter/rate-limit/allowances.ts';
import type { LimitCounter } from '../../balancer/store/limits.ts';
import { RedisConnection } from '../../balancer/store/redis/connection.ts';
import { RedisLimits } from '../../balancer/store/redis/redis-limits.ts';
import { HeldAllowances } from '../../balancer/worker/held-allowances.ts';
import type { RedisServer } from './redis-server.ts';
import { REDIS_USER } from './redis-rights.ts';

const WORKERS = 2;

function counterOf(port: number, timeoutMs: number): LimitCounter {
  const place = { kind: 'single', node: { host: '127.0.0.1', port } } as const;
  const access = { place, ...REDIS_USER, database: 0, tls: null, timeoutMs, connectMs: 2000 };
  return new RedisLimits(new RedisConnection(access, systemClock), 'weir', () => systemClock.wallMs());
}

export function openCounter(t: TestContext, port: number): LimitCounter {
  const counter = counterOf(port, 2000);
  t.after(() => counter.close());
  return counter;
}

/** A worker that waits as long as it takes: on a busy machine 10,000 at once take longer than one waits for a controller. */
const PATIENT: Clock = { ...systemClock, after: () => ({ cancel: () => undefined }) };

export interface Host {
  /** One request at a worker. */
  take(worker: number, key?: string, cost?: number): Promise<Decision['verdict']>;
  /** What a request was beyond what was taken for it, as its answer tells. */
  charge(worker: number, count: number): void;
  readonly told: string[];
}

/** The controller's part and the workers' part of a host, joined by turns of the event loop. */
export function hostOf(t: TestContext, { port }: RedisServer, limit: FleetLimit, timeoutMs = 10_000): Host {
  const told: string[] = [];
  const fleet = new FleetLimits({
    ...{ clock: systemClock, openCounter: () => counterOf(port, timeoutMs), hosts: () => 2 },
    tell: (text) => void told.push(text),
    count: () => undefined,
  });
  const limits = new Limits(() => systemClock.wallMs(), fleet);
  limits.follow({ limits: { all: limit }, workers: WORKERS });
  t.after(() => limits.close());
  const workers = Array.from({ length: WORKERS }, () => {
    const worker: HeldAllowances = new HeldAllowances({
      clock: PATIENT,
      isUp: () => true,
      ask: (wishes, charges) =>
        void setImmediate(() => {
          limits.charge(charges);
          limits.grant(wishes, (grants) => worker.receive(grants, 2));
        }),
      workers: () => WORKERS,
    });
    return worker;
  });
  return {
    told,
    take: async (worker, key = 'one', cost = 1) => (await (workers[worker] ?? assert.fail()).take(limit, key, cost)).verdict,
    charge: (worker, count) => (workers[worker] ?? assert.fail()).charge(limit, 'one', { count, ageMs: 0 }),
  };
}

/** Over all workers of two hosts in turns; how many pass. */
export async function passed(hosts: readonly Host[], requests: number): Promise<number> {
  const verdicts = await Promise.all(
    Array.from({ length: requests }, (_, at) => (hosts[at % hosts.length] ?? assert.fail()).take(Math.floor(at / hosts.length) % WORKERS)),
  );
  return verdicts.filter((verdict) => verdict === 'pass').length;
}
