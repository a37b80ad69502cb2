// When the demo is ready: what the appliance's own status must say, and what is still missing, in words.
import type { StatusView } from '../../balancer/controller/api/views.ts';

/** One line per thing that is not ready; empty when all is. */
export function notReady(status: StatusView, clusters: readonly string[]): readonly string[] {
  const missing: string[] = [];
  if (status.workers === 0 || status.workersReady < status.workers) {
    missing.push(`${status.workersReady} of ${status.workers} workers are ready`);
  }
  for (const name of clusters) {
    const cluster = status.clusters.find((one) => one.name === name);
    if (cluster === undefined) missing.push(`cluster ${name} is not known yet`);
    else if (cluster.health !== 'up') missing.push(`cluster ${name} is ${cluster.health}`);
    else if (cluster.agent.state !== 'fresh') missing.push(`the agent of ${name} is ${cluster.agent.state}`);
  }
  return missing;
}
