// A demo cluster's origin as a process of its own: `node origin-process.ts CLUSTER PORT LATENCY_MS`.
import { systemClock } from '../../health/clock.ts';
import { createOrigin } from './origin.ts';

const [cluster = '', port = '', latencyMs = ''] = process.argv.slice(2);
createOrigin({ cluster, latencyMs: Number(latencyMs) }, systemClock).listen(Number(port), '127.0.0.1');
