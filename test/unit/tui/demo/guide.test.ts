// What the demo prints and when it calls itself ready.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterView, StatusView } from '../../../../balancer/controller/api/views.ts';
import { guideText, quote, type Guide } from '../../../../tui/demo/guide.ts';
import { notReady } from '../../../../tui/demo/readiness.ts';

const GUIDE: Guide = {
  ports: { listener: 8080, admin: 7070, agents: 7071, metrics: 9464 },
  socketPath: '/tmp/it is/admin.sock',
  directory: '/tmp/it is',
  checkout: "/srv/o'hara/weir",
  demoPid: 4711,
  clusters: [{ name: 'eu-west', latencyMs: 4, originPid: 4712 }],
};

test('every command of the guide stands on a line of its own, with words quoted for the shell', () => {
  const lines = guideText(GUIDE)
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim());
  assert.deepEqual(lines.slice(0, 2), ["cd '/srv/o'\\''hara/weir'", "export WEIR_SERVER='unix:/tmp/it is/admin.sock'"]);
  assert.ok(lines.includes('npm run -s weir -- shift demo green=50 --dry-run'));
  assert.ok(lines.includes('kill 4712') && lines.includes('kill -USR2 4711'));
});

test('an installed weir is called by its name, from anywhere', () => {
  const text = guideText({ ...GUIDE, checkout: null });
  assert.match(text, /^ {4}weir status$/m);
  assert.doesNotMatch(text, /npm run|^ {4}cd /m);
});

test('a plain word needs no quotes', () => {
  assert.equal(quote('unix:/tmp/a-b_c.d/admin.sock'), 'unix:/tmp/a-b_c.d/admin.sock');
  assert.equal(quote(''), "''");
  assert.equal(quote('$HOME'), "'$HOME'");
});

const TRAFFIC = { windowSeconds: 10, rps: 0, errorRatio: 0, p50Ms: null, p95Ms: null, p99Ms: null };

function cluster(name: string, health: ClusterView['health'], agent: ClusterView['agent']['state']): ClusterView {
  return {
    name,
    region: null,
    admin: 'active',
    dialPercent: 100,
    health,
    agent: {
      cluster: name,
      state: agent,
      connected: false,
      ageMs: null,
      capacityRps: null,
      cpuUtilisation: null,
      memoryUtilisation: null,
      agentVersion: null,
    },
    endpoints: [],
    running: { requests: 0, tunnels: 0 },
    empty: null,
    tunnelsCloseInSeconds: null,
    desiredShare: 0,
    effectiveShare: 0,
    observedShare: 0,
    traffic: TRAFFIC,
    capacityRps: null,
    utilisation: null,
    glides: [],
    returnsInSeconds: null,
    failback: 'in',
    ramp: 1,
    lossShedRps: null,
    trend: [],
  };
}

function status(workersReady: number, clusters: readonly ClusterView[]): StatusView {
  return {
    host: 'demo-edge',
    version: '0',
    at: '',
    startedAt: '',
    revision: 1,
    generation: 1,
    plan: 1,
    timed: [],
    rollouts: [],
    approvals: [],
    degraded: [],
    alerts: [],
    localChanges: 0,
    warnings: [],
    workersReady,
    workers: 2,
    inFlight: 0,
    headroom: 'unknown: no cluster has a known capacity',
    traffic: TRAFFIC,
    clusters,
    services: [],
    lastRevision: null,
    events: [],
    role: 'admin',
  };
}

test('the demo is ready with all workers, all clusters up and all agents fresh, and names what is missing', () => {
  assert.deepEqual(notReady(status(2, [cluster('a', 'up', 'fresh'), cluster('b', 'up', 'fresh')]), ['a', 'b']), []);
  const missing = notReady(status(1, [cluster('a', 'down', 'fresh'), cluster('b', 'up', 'absent')]), ['a', 'b', 'c']);
  assert.deepEqual(missing, ['1 of 2 workers are ready', 'cluster a is down', 'the agent of b is absent', 'cluster c is not known yet']);
});
