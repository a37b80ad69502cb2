// Scenario `proxy`: weir beside the proxies it is compared with, HTTP/1.1 without TLS on both sides.
import { CONTENDERS } from '../contenders/registry.ts';
import { PLAIN } from '../contender.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

export const proxy = compare({
  name: 'proxy',
  summary: 'HTTP/1.1 on both sides: CPU time per request beside nginx, HAProxy, fast-proxy and http-proxy',
  wiring: PLAIN,
  contenders: CONTENDERS,
  reference: 'nginx',
  parts: [requests('', [16, 64, 512])],
});
