// Scenario `upstream-tls`: to the clusters over TLS, the way from an edge.
import { SERVERS } from '../contenders/registry.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

export const upstreamTls = compare({
  name: 'upstream-tls',
  summary: 'TLS to the origin: HTTP/2 from weir and HAProxy, HTTP/1.1 on kept connections from nginx; CPU time per request',
  wiring: { downstream: 'plain', upstream: 'tls' },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [requests('', [16, 64, 512])],
});
