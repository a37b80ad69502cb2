// The schema of a scenario file: a fleet from a config, its load, and what goes wrong, for `weir simulate`.
import { Type, type Static } from '../schema/type.ts';
import { choice, duration, formsOf, listOf, mapping, named, valueOf } from './schema-parts.ts';

const rate = (description: string) => Type.Number({ minimum: 0, maximum: 1e9, description });

const load = mapping(
  {
    rps: rate('Requests per second of the whole fleet'),
    critical: Type.Optional(rate('Of them, those of the class critical')),
    high: Type.Optional(rate('Of them, those of the class high')),
    low: Type.Optional(rate('Of them, those of the class low')),
  },
  'Load of a service',
);

const agent = mapping(
  {
    period: duration('How often it reports', '1s'),
    delay: formsOf<string | 0>('durationOrZero', 'The longest a report takes to arrive; each takes a time of its own', 0),
    loss: valueOf('percent', 'Part of the reports that never arrive', '0%'),
    counts: Type.Boolean({ default: false, description: 'Whether it reports requests, so that capacity is learned' }),
    capacityRps: Type.Optional(rate('What it declares')),
  },
  'An agent',
);

const fault = mapping(
  {
    cluster: valueOf('name', 'Name of the cluster'),
    kind: choice(
      ['down', 'errors', 'slow', 'weak', 'flap', 'agent_lost', 'agent_lies'],
      'Connections are refused; a part of the answers are errors; it can do only a part; down for half of each period; its agent is silent; its agent lies',
    ),
    from: formsOf<string | 0>('durationOrZero', 'When it begins', 0),
    for: duration('How long it lasts', '60s'),
    part: valueOf('percent', 'Of errors and weak: which part; of slow: answers take 1 / part times as long', '30%'),
    period: duration('Of flap', '2s'),
    lie: choice(['zero', 'nan', 'negative', 'huge', 'tiny'], 'Of agent_lies: what it says', 'nan'),
  },
  'Something that goes wrong',
);

const clusterSplit = named('name', rate('Weight of the version there'), {
  description: 'Weights of the versions by name',
  atLeastOne: '{ blue: 50, green: 50 }',
});

const surge = mapping(
  {
    service: valueOf('name', 'Name of the service'),
    from: formsOf<string | 0>('durationOrZero', 'When it begins', 0),
    for: duration('How long it lasts', '60s'),
    factor: Type.Number({ minimum: 0, maximum: 1000, description: 'Times its usual load' }),
  },
  'A time of more or less load',
);

export const scenarioSchema = mapping(
  {
    config: valueOf('file', 'The config whose fleet is simulated'),
    seeds: Type.Integer({ minimum: 1, maximum: 100_000, default: 10, description: 'How many runs, each with other chances' }),
    duration: duration('How long a run is, in its own time', '2m'),
    settle: formsOf<string | 0>('durationOrZero', 'What is before this is not judged', '30s'),
    hosts: Type.Integer({ minimum: 1, maximum: 100, default: 1, description: 'Edge hosts' }),
    workers: Type.Integer({ minimum: 1, maximum: 256, default: 4, description: 'Workers of each host' }),
    load: named('name', load, { description: 'Load by service', atLeastOne: '{ shop: { rps: 900 } }' }),
    clusterSplits: named(
      'name',
      named('name', clusterSplit, { description: 'Split by cluster', atLeastOne: '{ eu: { blue: 50, green: 50 } }' }),
      {
        description: 'Service, cluster, version: clusters in which a service is split otherwise, as the waves of a rollout make them',
        default: {},
      },
    ),
    real: named('name', rate('Requests per second'), {
      description: 'What a cluster can really do, where that is not what it declares; a cluster without either can do everything',
      default: {},
    }),
    agents: named('name', agent, { description: 'Agents by cluster; a cluster that is not named has none', default: {} }),
    faults: listOf(fault, 'What goes wrong', { default: [] }),
    surges: listOf(surge, 'When the load is another', { default: [] }),
  },
  'A scenario',
);

export type ScenarioFile = Static<typeof scenarioSchema>;
