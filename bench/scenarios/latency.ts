// Scenario `latency`: the tail at half of the peak rate.
import { PROXIES } from '../contenders/registry.ts';
import { PLAIN } from '../contender.ts';
import { latency as latencyPart } from '../workloads/latency.ts';
import { compare } from './comparison.ts';

export const latency = compare({
  name: 'latency',
  summary: 'p99 under the same open-loop load at half of the lowest peak rate; ratios are of p99',
  wiring: PLAIN,
  contenders: PROXIES,
  reference: 'nginx',
  parts: [latencyPart('', [64])],
});
