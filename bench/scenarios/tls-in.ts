// Scenarios `tls-in` and `tls-in-http1`: clients that speak HTTP/1.1 over TLS, on kept connections and on new ones.
import { SERVERS } from '../contenders/registry.ts';
import { handshakes } from '../workloads/handshakes.ts';
import { requests } from '../workloads/requests.ts';
import { compare } from './comparison.ts';

const KEPT = requests('kept', [64]);

export const tlsIn = compare({
  name: 'tls-in',
  summary:
    'TLS from clients, HTTP/2 to the origin from weir and HAProxy, HTTP/1.1 from nginx: CPU time per request on kept connections, and per new connection with and without a session to resume',
  wiring: { downstream: 'tls', upstream: 'h2c' },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [KEPT, handshakes('new sessions', 'new', [8]), handshakes('resumed sessions', 'resumed', [8])],
});

export const tlsInHttp1 = compare({
  name: 'tls-in-http1',
  summary: 'as tls-in on kept connections, with HTTP/1.1 to the origin from all',
  wiring: { downstream: 'tls', upstream: 'http1' },
  contenders: SERVERS,
  reference: 'nginx',
  parts: [KEPT],
});
