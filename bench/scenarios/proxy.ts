// Scenario `proxy`: weir beside the proxies it is compared with.
import { CONTENDERS } from '../contenders/registry.ts';
import { compare } from './comparison.ts';

export const proxy = compare({
  name: 'proxy',
  summary: 'CPU time per request, requests per second and latency of weir beside nginx, HAProxy, fast-proxy and http-proxy',
  contenders: CONTENDERS,
  reference: 'nginx',
});
