// Scenario `routes`: what 10,000 routes cost a request, and how long a change of them takes, in the whole appliance.
import { weirWith } from '../contenders/weir.ts';
import { PLAIN } from '../contender.ts';
import { reloads } from '../workloads/reload.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

const ONE = 'one-route';

export const routes = compare({
  name: 'routes',
  summary: 'weir with 10,000 routes beside weir with one: CPU time per request, and the time a change of the config takes under load',
  wiring: PLAIN,
  contenders: [
    weirWith({ name: ONE, summary: 'weir with the one route that the requests take' }),
    weirWith({ name: '10k-routes', summary: 'weir with 9,999 routes of other hosts and paths before that route', otherRoutes: 9999 }),
  ],
  reference: ONE,
  parts: [requests('requests', [64]), reloads('reload', [64])],
});
