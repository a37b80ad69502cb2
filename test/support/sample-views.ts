// Views of the admin API as an appliance with two clusters would give them.
import type { AgentView, ClusterView, Forecast, ServiceView, TrafficView, WorkerView } from '../../balancer/controller/api/views.ts';
import type { AdminState } from '../../balancer/intent/intent.ts';

export const QUIET: TrafficView = { windowSeconds: 10, rps: 0, errorRatio: 0, p50Ms: null, p95Ms: null, p99Ms: null };
export const BUSY: TrafficView = { windowSeconds: 10, rps: 812.4, errorRatio: 0.002, p50Ms: 3.1, p95Ms: 12.5, p99Ms: 48 };

export const FORECAST: Forecast = {
  clusters: [{ cluster: 'one', before: { rps: 800, utilisation: 0.4 }, after: { rps: 400, utilisation: 0.2 } }],
  moved: [{ service: 'demo', toOtherVersion: 0.1, toOtherPlace: 0.5 }],
  lostRps: { before: 0, after: 0 },
  headroom: 'yes: the others can take what any one cluster has now',
  spill: [{ cluster: 'one', rps: 400, to: [{ cluster: 'two', rps: 390 }], shedRps: 10 }],
  expected: [{ cluster: 'two', service: 'demo', rps: 400, before: 0 }],
};

export function sampleAgent(cluster: string, state: AgentView['state']): AgentView {
  const figures = { capacityRps: 2000, cpuUtilisation: 0.41, memoryUtilisation: 0.6, agentVersion: '0.1.0' };
  return { cluster, state, connected: state !== 'absent', ageMs: 800, ...figures };
}

export function sampleCluster(
  name: string,
  asked: { readonly admin: AdminState; readonly dialPercent: number },
  agent: AgentView,
): ClusterView {
  const { admin, dialPercent } = asked;
  return {
    name,
    region: 'eu',
    admin,
    dialPercent,
    glides: [],
    returnsInSeconds: null,
    running: { requests: 0, tunnels: 0 },
    empty: admin === 'active' ? null : true,
    tunnelsCloseInSeconds: null,
    health: 'up',
    agent,
    endpoints: [{ id: '127.0.0.1:9001', health: 'up', reason: '' }],
    desiredShare: 0.5,
    effectiveShare: 0.5,
    observedShare: 0.498,
    traffic: BUSY,
    capacityRps: 2000,
    utilisation: 0.2,
    failback: 'in',
    ramp: 1,
    lossShedRps: null,
    trend: [1, 2, 3],
  };
}

/** Four; those that lag are at the plan before. */
export function sampleWorkers(plan: number, laggards: readonly string[]): readonly WorkerView[] {
  return [1, 2, 3, 4].map((number) => {
    const name = `worker-${number}`;
    const lags = laggards.includes(name);
    const figures = {
      generation: 1,
      restarts: 0,
      residentBytes: 83_886_080,
      heapBytes: 20_971_520,
      sockets: { clients: 12, endpoints: 8 },
      eventLoopDelayMs: 0.4,
    };
    return { name, pid: 1000 + number, state: lags ? 'lost' : 'ready', plan: lags ? plan - 1 : plan, ...figures };
  });
}

/** `demo` with versions in clusters one and two, and `lonely` with nothing. */
export function sampleServices(split: Readonly<Record<string, number>>): readonly ServiceView[] {
  const targets = Object.entries(split).flatMap(([version, percent]) =>
    ['one', 'two'].map((cluster) => ({
      version,
      cluster,
      desiredShare: percent / 200,
      effectiveShare: percent / 200,
      observedShare: percent / 200,
      newShare: null,
      observedLow: null,
      observedHigh: null,
      respected: null,
      reasons: ['intent'] as const,
      traffic: QUIET,
    })),
  );
  const demo = {
    name: 'demo',
    policy: 'capacity',
    onUnavailable: 'redistribute',
    split: split,
    glides: [],
    targets,
    regions: [],
    lostShare: 0,
    shedShare: 0,
    traffic: BUSY,
  };
  return [demo, { ...demo, name: 'lonely', targets: [], traffic: QUIET }];
}
