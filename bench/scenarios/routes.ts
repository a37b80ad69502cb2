// Scenario `routes`: what 10,000 routes cost a request, in the whole appliance.
import { weirWith } from '../contenders/weir.ts';
import { compare } from './comparison.ts';

const ONE = 'one-route';

export const routes = compare({
  name: 'routes',
  summary: 'CPU time per request of weir with 10,000 routes beside weir with one',
  contenders: [
    weirWith({ name: ONE, summary: 'weir with the one route that the requests take', otherRoutes: 0 }),
    weirWith({ name: '10k-routes', summary: 'weir with 9,999 routes of other hosts and paths before that route', otherRoutes: 9999 }),
  ],
  reference: ONE,
});
