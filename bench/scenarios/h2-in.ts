// Scenario `h2-in`: clients that speak HTTP/2 over TLS.
import { SERVERS } from '../contenders/registry.ts';
import { h2Requests } from '../workloads/h2-requests.ts';
import { compare } from './comparison.ts';

export const h2In = compare({
  name: 'h2-in',
  summary: 'HTTP/2 over TLS from clients, HTTP/1.1 to the origin; CPU time per request',
  wiring: { downstream: 'tls+h2', upstream: 'http1' },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [h2Requests('', [16])],
});
