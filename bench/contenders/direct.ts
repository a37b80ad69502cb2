// No proxy at all: what the origin and the load generator reach together, above which no contender can be measured.
import type { Contender } from '../contender.ts';

export const direct: Contender = {
  name: 'direct',
  summary: 'no proxy: the ceiling of requests per second that origin and load generator set',
  available: () => Promise.resolve({ ok: true, version: '-' }),
  start: ({ originPort }) => Promise.resolve({ port: originPort, pids: () => [], dataPlanePids: () => [], stop: () => Promise.resolve() }),
};
