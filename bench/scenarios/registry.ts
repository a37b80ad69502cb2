// Every scenario of `npm run bench -- SCENARIO`. A new one is a new file and a line here.
import type { Scenario } from '../scenario.ts';
import { accessLog } from './access-log.ts';
import { allOf } from './all.ts';
import { cachedAnswers } from './cache.ts';
import { lostClusters } from './failover.ts';
import { filterCosts } from './filters.ts';
import { h2In } from './h2-in.ts';
import { idle } from './idle.ts';
import { large } from './large.ts';
import { latency } from './latency.ts';
import { micro } from './micro.ts';
import { overload } from './overload.ts';
import { proxy } from './proxy.ts';
import { routes } from './routes.ts';
import { scaling } from './scaling.ts';
import { startOfHost } from './start.ts';
import { tlsIn, tlsInHttp1 } from './tls-in.ts';
import { upstreamH2 } from './upstream-h2.ts';
import { upstreamTls } from './upstream-tls.ts';
import { websocket } from './websocket.ts';

const SINGLE: readonly Scenario[] = [
  ...[proxy, upstreamTls, upstreamH2, tlsIn, tlsInHttp1, h2In, large, websocket, idle],
  ...[routes, scaling, latency, accessLog, cachedAnswers, lostClusters, overload, startOfHost, micro],
];

// `filters` is a part of `micro`: `all` runs it once.
export const SCENARIOS: readonly Scenario[] = [...SINGLE, filterCosts, allOf(SINGLE)];
