// Scenario `access-log`: what a line per request costs.
import { weirWith } from '../contenders/weir.ts';
import { PLAIN } from '../contender.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

const OFF = 'log-off';

export const accessLog = compare({
  name: 'access-log',
  summary: 'CPU time per request of weir with the access log to a file beside weir without',
  wiring: PLAIN,
  contenders: [
    weirWith({ name: OFF, summary: 'weir without access log' }),
    weirWith({ name: 'log-on', summary: 'weir with its access log to a file', accessLog: true }),
  ],
  reference: OFF,
  parts: [requests('', [64])],
});
