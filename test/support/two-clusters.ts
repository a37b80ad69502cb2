// The fleet most scenarios run on: a service `shop`, blue in clusters one and two, green in two only.
import type { TestContext } from 'node:test';
import { named, startOrigin, type Answer, type Origin } from './origin.ts';

export interface TwoClusters {
  /** The fleet part of a config. */
  readonly yaml: string;
  readonly one: Origin;
  readonly two: Origin;
}

/** Both origins answer with the name of their cluster, or as `answer` says. */
export async function startTwoClusters(t: TestContext, answer?: Answer): Promise<TwoClusters> {
  const one = await startOrigin(t, answer ?? named('one'));
  const two = await startOrigin(t, answer ?? named('two'));
  const cluster = ({ endpoint }: Origin): string =>
    `{ endpoints: ["${endpoint}"], health: { http: { path: /healthz }, interval: 200ms, timeout: 150ms } }`;
  return {
    one,
    two,
    yaml: `
clusters:
  one: ${cluster(one)}
  two: ${cluster(two)}
services:
  shop:
    versions:
      blue: { clusters: { one: { weight: 70 }, two: { weight: 30 } } }
      green: { clusters: { two: {} } }
    split: { blue: 90, green: 10 }
routes:
  - { name: shop, match: { path: / }, service: shop }
`,
  };
}
