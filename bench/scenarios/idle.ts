// Scenario `idle`: what a kept connection costs while nothing happens on it.
import { nginx } from '../contenders/nginx.ts';
import { weir } from '../contenders/weir.ts';
import { PLAIN } from '../contender.ts';
import { idling } from '../workloads/idle.ts';
import { compare } from './comparison.ts';

export const idle = compare({
  name: 'idle',
  summary: '10,000 idle kept connections: memory for each, over all processes that carry requests',
  wiring: PLAIN,
  contenders: [weir, nginx],
  reference: 'nginx',
  parts: [idling('', [10_000])],
  seconds: 15,
});
