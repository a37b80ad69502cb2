// Scenario `tls-in`: clients that speak HTTP/1.1 over TLS, on kept connections and on new ones.
import { SERVERS } from '../contenders/registry.ts';
import { handshakes } from '../workloads/handshakes.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

export const tlsIn = compare({
  name: 'tls-in',
  summary: 'TLS from clients: CPU time per request on kept connections, and per new connection with and without a session to resume',
  wiring: { downstream: 'tls', upstream: 'http1' },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [requests('kept', [64]), handshakes('new sessions', 'new', [8]), handshakes('resumed sessions', 'resumed', [8])],
});
