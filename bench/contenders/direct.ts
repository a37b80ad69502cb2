// No proxy at all: what the origin and the load generator reach together, above which no contender can be measured.
import { upstreamPort, type Contender } from '../contender.ts';

export const direct: Contender = {
  name: 'direct',
  summary: 'no proxy: the ceiling of requests per second that origin and load generator set',
  available: () => Promise.resolve({ ok: true, version: '-' }),
  start: ({ origin, wiring }) => {
    const port = upstreamPort(origin, wiring.downstream === 'plain' ? 'http1' : 'tls');
    return Promise.resolve({ port, pids: () => [], dataPlanePids: () => [], stop: () => Promise.resolve() });
  },
};
