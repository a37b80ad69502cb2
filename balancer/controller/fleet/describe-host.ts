// This host as the others see it, and what it does when they have changed the intent.
import { CONFIG_PATH, type Revision } from '../../intent/intent.ts';
import type { WorkersAppliedView } from '../api/views.ts';
import { toldApproval } from '../approval/approvals.ts';
import { tellEndedOverrides } from '../driver/expiries.ts';
import type { Edge } from '../edge.ts';
import type { Followed } from './follow.ts';
import type { Presence } from './presence.ts';

/** For every ready worker to serve what the fleet has changed. */
const SERVE_DEADLINE_MS = 3000;

/** Each second to each host. */
const TOLD_APPROVALS = 20;

export function describeHost(edge: Edge): Omit<Presence, 'leads' | 'skewMs'> {
  const { config, options, generation, keeper, links, loop } = edge;
  const { revision } = keeper.intent;
  const approvals = edge.approvals.all().slice(0, TOLD_APPROVALS).map(toldApproval);
  const laggards = links.laggards({ generation, plan: loop.number });
  return {
    name: config.hostName,
    place: options.fleet?.place ?? '',
    version: options.version,
    startedAt: edge.startedAt,
    revision,
    servedRevision: edge.servedRevision(laggards.length === 0),
    problem: edge.problem,
    configHash: edge.served.shared?.fingerprint ?? config.hash,
    generation,
    plan: loop.number,
    workers: config.workers,
    workersReady: links.workers().filter(({ state }) => state === 'ready').length,
    laggards: [...laggards],
    localFields: [...edge.local.fields()],
    ...(approvals.length === 0 ? {} : { approvals }),
  };
}

/** Revisions of others are the intent now: the plan follows, and this settles when the workers serve it. */
export function onFollowed(edge: Edge, { taken }: Followed): Promise<WorkersAppliedView> {
  for (const record of taken) {
    edge.events.add('revision.made', `revision ${record.revision} by ${record.author.name}${through(record)}`);
    tellEndedOverrides(edge, record.touched, record.revision);
    edge.tokens.follow(record.touched);
  }
  if (taken.some(({ touched }) => touched.some(({ path }) => path[0] === CONFIG_PATH[0]))) edge.options.onFleetConfig();
  return edge.links.served(
    { generation: edge.generation, plan: edge.loop.isRunning ? edge.loop.recompute() : edge.loop.number },
    SERVE_DEADLINE_MS,
  );
}

/** The fleet is there again: what was done without it waits for somebody to decide. */
export function tellLocal({ local, events }: Edge): void {
  const fields = local.fields();
  if (fields.length === 0) return;
  events.add(
    'fleet.local',
    `LOCAL: this host holds ${fields.join(', ')} against its fleet: weir local list, then weir local merge or discard`,
  );
}

function through({ reason }: Revision): string {
  return reason === '' ? ', of another host' : `, of another host (${reason})`;
}
