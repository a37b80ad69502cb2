// Scenario `upstream-h2`: HTTP/2 without TLS to the origin.
import { SERVERS } from '../contenders/registry.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

export const upstreamH2 = compare({
  name: 'upstream-h2',
  summary: 'plain HTTP/2 to the origin from weir and HAProxy, HTTP/1.1 from nginx; CPU time per request',
  wiring: { downstream: 'plain', upstream: 'h2c' },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [requests('', [16, 64, 512])],
});
