// An operator says what will come to a cluster: told to its agent, which may raise what scales the service.
import type { ApiProblem } from '../api/views.ts';
import type { Caller, ExpectationRequest } from '../appliance.ts';
import type { Edge } from '../edge.ts';
import { wishId } from './wish-list.ts';

/** Null: it is done. */
export function expect(edge: Edge, request: ExpectationRequest, { author }: Caller): ApiProblem | null {
  const { cluster, service, rps, inMs, forMs } = request;
  const { clusters, services } = edge.config;
  if (edge.agents.hub === null)
    return { code: 'unsafe', message: 'agents cannot be told anything: the config has no address for them; add agents: { bind: … }' };
  if (!Object.hasOwn(clusters, cluster))
    return { code: 'not_found', message: `there is no cluster "${cluster}"; the config has ${Object.keys(clusters).join(', ')}` };
  if (!Object.hasOwn(services, service))
    return { code: 'not_found', message: `there is no service "${service}"; the config has ${Object.keys(services).join(', ')}` };
  if (rps === 0) {
    const withdrawn = edge.agents.wishes.withdraw(cluster, service);
    if (withdrawn > 0)
      edge.events.add('agent.expected', `nothing more than usual of ${service} is expected in ${cluster}, by ${author.name}`);
    return null;
  }
  const startsAtMs = edge.options.clock.wallMs() + inMs;
  const id = wishId(startsAtMs.toString(36), service);
  if (!edge.agents.wishes.expect({ id, cluster, service, rps, startsAtMs, endsAtMs: startsAtMs + forMs }))
    return {
      code: 'conflict',
      message: `too many services have expectations in ${cluster}; take one back (weir agent expect ${cluster} SERVICE 0)`,
    };
  const when = inMs === 0 ? 'now' : `in ${Math.round(inMs / 1000)} s`;
  edge.events.add(
    'agent.expected',
    `${rps} requests/s of ${service} are expected in ${cluster} ${when}, for ${Math.round(forMs / 1000)} s, by ${author.name}`,
  );
  return null;
}
