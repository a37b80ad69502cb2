// What the simulator is asked: fleets, faults, and what has to hold for every seed.
import type { AgentModel, ClusterModel, Fault, Lie, Scenario, ServiceModel } from '../../balancer/steer/simulate/scenario.ts';
import type { Outcome } from '../../balancer/steer/simulate/simulate.ts';

export interface Question {
  readonly name: string;
  readonly goal: string;
  readonly scenario: Scenario;
  /** The figure that the goal is about. */
  readonly figure: (outcome: Outcome) => number;
  /** It may be no more than this. */
  readonly most: number;
}

const agent = (other: Partial<AgentModel> = {}): AgentModel => ({
  periodMs: 1000,
  delayMs: [0, 100],
  loss: 0,
  counts: true,
  capacityRps: null,
  ...other,
});

const cluster = (rps: number, other: Partial<ClusterModel> = {}): ClusterModel => ({
  rps,
  declaredRps: rps,
  region: null,
  failback: { mode: 'ramp', windowMs: 60_000 },
  agent: null,
  ...other,
});

const service = (rps: number, clusters: Readonly<Record<string, number>>, other: Partial<ServiceModel> = {}): ServiceModel => ({
  rps,
  classes: {},
  policy: 'capacity',
  onUnavailable: 'redistribute',
  overload: 'shed',
  versions: {
    blue: { share: 1, clusters: Object.fromEntries(Object.entries(clusters).map(([name, weight]) => [name, { weight, priority: 0 }])) },
  },
  ...other,
});

const fault = (kind: Fault['kind'], at: string, [fromS, toS]: readonly [number, number], other: Partial<Fault> = {}): Fault => ({
  kind,
  cluster: at,
  fromMs: fromS * 1000,
  toMs: toS * 1000,
  part: 0.3,
  periodMs: 2000,
  lie: 'nan',
  ...other,
});

function scenario(
  seconds: number,
  fleet: Pick<Scenario, 'clusters' | 'services'>,
  other: Partial<Scenario> & { readonly judgedFromS: number; readonly judgedToS?: number },
): Scenario {
  const { judgedFromS, judgedToS, ...rest } = other;
  return {
    durationMs: seconds * 1000,
    hosts: 3,
    workers: 8,
    faults: [],
    surges: [],
    ...fleet,
    ...rest,
    judgedFromMs: judgedFromS * 1000,
    judgedToMs: judgedToS === undefined ? null : judgedToS * 1000,
  };
}

/** Most that a share of one host moved, in points of a hundred. */
function swing({ swing: millionths }: Outcome): number {
  return millionths / 10_000;
}

const TWINS = { a: 1, b: 1 };
const LIES: readonly Lie[] = ['zero', 'nan', 'negative', 'huge'];

/** Capacity learned alone, at 90 % utilisation, from reports that are up to so many seconds late and overtake each other. */
const learning = (delayS: number): Question => ({
  name: `share swing at 90 % utilisation, reports 0 to ${delayS} s late`,
  goal: 'points of share, peak to peak',
  scenario: scenario(
    120,
    {
      clusters: {
        a: cluster(400, { declaredRps: null, agent: agent({ delayMs: [0, delayS * 1000] }) }),
        b: cluster(400, { declaredRps: null, agent: agent({ delayMs: [0, delayS * 1000] }) }),
      },
      services: { shop: service(720, TWINS) },
    },
    { judgedFromS: 60 },
  ),
  figure: swing,
  most: 2,
});

/** What is refused beside what has to be, in points of the requests. */
const refusedPoints = (excess: number) => (outcome: Outcome) =>
  100 * Math.abs((outcome.refused + outcome.lost) / outcome.requests - excess);

/** In cluster a half of the requests are of green; green has nothing elsewhere. */
const WAVE = service(
  300,
  {},
  {
    versions: {
      blue: { share: 1, clusters: { a: { weight: 1, priority: 0 }, b: { weight: 1, priority: 0 }, c: { weight: 1, priority: 0 } } },
      green: { share: 0, clusters: { a: { weight: 1, priority: 0 }, b: { weight: 1, priority: 0 }, c: { weight: 1, priority: 0 } } },
    },
    clusterSplits: { a: { blue: 1, green: 1 } },
  },
);

/**
 * Points once c is lost. Its third goes to the same version elsewhere by weight: of blue a weighs half of what b weighs. So a has 1/6 of
 * green, 1/6 + 1/3 × 1/3 of blue, and b 1/3 + 1/3 × 2/3.
 */
const WAVE_SHARES: Readonly<Record<string, number>> = {
  'blue/a': 100 * (1 / 6 + 1 / 9),
  'green/a': 100 / 6,
  'blue/b': 100 * (1 / 3 + 2 / 9),
  'green/b': 0,
  'green/c': 0,
};

function beside(range: Outcome['shares'][string] | undefined, points: number): number {
  const { least, most } = range ?? { least: Infinity, most: Infinity };
  return Math.max(Math.abs(least / 10_000 - points), Math.abs(most / 10_000 - points));
}

export const QUESTIONS: readonly Question[] = [
  ...[0, 2, 10].map(learning),
  {
    name: 'flapping health, a period of 2 s for 10 min',
    goal: 'transitions of a cluster',
    scenario: scenario(
      620,
      { clusters: { a: cluster(400), b: cluster(400) }, services: { shop: service(60, TWINS) } },
      { judgedFromS: 10, faults: [fault('flap', 'a', [10, 610])], workers: 2 },
    ),
    figure: ({ transitions }) => transitions,
    most: 5,
  },
  {
    name: 'a cluster dies while the others can take all: load by plan',
    goal: 'part of the capacity of the fullest cluster, by plan',
    scenario: scenario(
      60,
      {
        clusters: { a: cluster(300), b: cluster(300), c: cluster(300) },
        services: { shop: service(400, { a: 1, b: 1 }), mail: service(180, { b: 1, c: 1 }) },
      },
      { judgedFromS: 8, faults: [fault('down', 'a', [20, 60])] },
    ),
    figure: ({ plannedLoad }) => plannedLoad,
    most: 1.02,
  },
  {
    name: 'a cluster dies while the others can take all: refused',
    goal: 'points of the requests that are refused or lost',
    scenario: scenario(
      60,
      {
        clusters: { a: cluster(300), b: cluster(300), c: cluster(400) },
        services: { shop: service(250, { a: 1, b: 1 }), mail: service(180, { b: 1, c: 1 }) },
      },
      { judgedFromS: 25, faults: [fault('down', 'a', [20, 60])] },
    ),
    figure: refusedPoints(0),
    most: 0,
  },
  {
    name: 'a cluster dies and the others cannot take all: the excess is refused',
    goal: 'points beside the excess',
    scenario: scenario(
      80,
      { clusters: { a: cluster(300), b: cluster(300) }, services: { shop: service(500, TWINS) } },
      { judgedFromS: 30, faults: [fault('down', 'a', [20, 80])] },
    ),
    figure: refusedPoints(0.4),
    most: 2,
  },
  {
    name: 'a surge of twice the load: the excess of the lowest class is refused',
    goal: 'points of requests of higher classes that are refused',
    scenario: scenario(
      60,
      {
        clusters: { a: cluster(300), b: cluster(300) },
        services: { shop: service(400, TWINS, { classes: { critical: 0.2, normal: 0.4, low: 0.4 } }) },
      },
      { judgedFromS: 30, surges: [{ service: 'shop', fromMs: 20_000, toMs: 60_000, factor: 2 }] },
    ),
    figure: ({ refusedByClass, requests }) => (100 * ((refusedByClass.critical ?? 0) + (refusedByClass.normal ?? 0))) / requests,
    most: 0,
  },
  {
    name: 'an agent is lost for 180 s',
    goal: 'points by which its share moved',
    scenario: scenario(
      240,
      {
        clusters: {
          a: cluster(400, { agent: agent({ capacityRps: 200, counts: false }) }),
          b: cluster(400, { agent: agent({ capacityRps: 400, counts: false }) }),
        },
        services: { shop: service(300, TWINS) },
      },
      { judgedFromS: 30, judgedToS: 205, faults: [fault('agent_lost', 'a', [25, 240])], workers: 2 },
    ),
    figure: swing,
    most: 0,
  },
  ...LIES.map((lie): Question => ({
    name: `an agent lies: ${lie}`,
    goal: 'points by which a share rose',
    scenario: scenario(
      90,
      {
        clusters: { a: cluster(400, { agent: agent() }), b: cluster(400, { agent: agent() }) },
        services: { shop: service(500, TWINS) },
      },
      { judgedFromS: 30, faults: [fault('agent_lies', 'a', [30, 90], { lie })], workers: 2 },
    ),
    figure: ({ shares }) => ((shares['shop/blue/a']?.most ?? 0) - (shares['shop/blue/a']?.first ?? 0)) / 10_000,
    most: 1,
  })),
  {
    name: 'a place answers 30 % errors',
    goal: 'points of its share that it still has after 5 s (of 50, 0.4 of its weight is 28.6)',
    scenario: scenario(
      60,
      { clusters: { a: cluster(400), b: cluster(400) }, services: { shop: service(300, TWINS) } },
      { judgedFromS: 26, faults: [fault('errors', 'a', [20, 60])], workers: 2 },
    ),
    figure: ({ shares }) => (shares['shop/blue/a']?.first ?? 0) / 10_000,
    // A host counts 250 requests in its window, of which 30 % are 30 ± 9 (three times the standard deviation): 36.8 points at the worst.
    most: 37,
  },
  {
    name: 'the answers of a place take five times as long',
    goal: 'points of its share that it still has after 5 s (of 50; a fifth of its weight is 16.7)',
    scenario: scenario(
      70,
      { clusters: { a: cluster(400), b: cluster(400) }, services: { shop: service(300, TWINS) } },
      { judgedFromS: 36, faults: [fault('slow', 'a', [30, 70], { part: 0.2 })], workers: 2 },
    ),
    figure: ({ shares }) => (shares['shop/blue/a']?.most ?? 0) / 10_000,
    // The usual time of a place follows at a tenth of its pace while it is slow: 40 s of 600 s take 5 to 4.5 times as slow.
    most: 20,
  },
  {
    name: 'a place is slow and the other cannot take all of its load, which nobody has declared',
    goal: 'points of share, peak to peak, once it has settled',
    scenario: scenario(
      180,
      {
        clusters: { a: cluster(400, { declaredRps: null }), b: cluster(400, { declaredRps: null }) },
        services: { shop: service(500, TWINS) },
      },
      { judgedFromS: 45, faults: [fault('slow', 'a', [30, 180], { part: 0.2 })], workers: 2 },
    ),
    figure: swing,
    most: 10,
  },
  {
    name: 'a wave has moved one of three clusters to another version, and the others have not',
    goal: 'points by which a share is beside the split of its cluster, before one of the others dies and after',
    scenario: scenario(
      60,
      {
        clusters: { a: cluster(400), b: cluster(400), c: cluster(400) },
        services: { shop: WAVE },
      },
      { judgedFromS: 30, faults: [fault('down', 'c', [20, 60])], workers: 2 },
    ),
    figure: ({ shares }) => Math.max(...Object.entries(WAVE_SHARES).map(([place, share]) => beside(shares[`shop/${place}`], share))),
    most: 0.01,
  },
  {
    name: 'a cluster comes back',
    goal: 'points that its share rose in the first 10 s',
    scenario: scenario(
      70,
      { clusters: { a: cluster(400), b: cluster(400) }, services: { shop: service(300, TWINS) } },
      { judgedFromS: 40, judgedToS: 50, faults: [fault('down', 'a', [20, 40])], workers: 2 },
    ),
    figure: ({ shares }) => ((shares['shop/blue/a']?.most ?? 0) - (shares['shop/blue/a']?.first ?? 0)) / 10_000,
    most: 10,
  },
];
