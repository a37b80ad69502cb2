// Scenario `scaling`: what a second worker costs each request.
import { weirWith } from '../contenders/weir.ts';
import { PLAIN } from '../contender.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

const ONE = 'one-worker';

export const scaling = compare({
  name: 'scaling',
  summary: 'CPU time per request of weir with two workers beside weir with one, as many connections for each worker',
  wiring: PLAIN,
  contenders: [
    weirWith({ name: ONE, summary: 'weir with 1 worker' }),
    weirWith({ name: 'two-workers', summary: 'weir with 2 workers and twice the connections', workers: 2, connectionsFactor: 2 }),
  ],
  reference: ONE,
  parts: [requests('per worker', [64])],
});
