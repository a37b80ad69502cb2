// Which report counts when several agents speak for one cluster, or one is heard twice. Pure.
import type { CapacitySnapshot } from '../../../agent/protocol.ts';

export type Ordered = Pick<CapacitySnapshot, 'bootId' | 'sequence' | 'epoch'>;

/** What was taken last, and whether the agent that said it is still there: connected, or heard of a moment ago. */
export interface LastReport {
  readonly said: Ordered;
  readonly isAlive: boolean;
}

/**
 * Of one boot, numbers rise; what was said before is never taken again. Of two agents the one with the higher epoch counts: the one that got the
 * lease last, or was started last. The epoch of an agent that has gone binds nobody: a clock that was set back must not keep a cluster silent.
 * Agents of protocol 1 have no epoch; among them the newest connection counts.
 */
export function orderProblem(said: Ordered, last: LastReport | null): 'sequence' | 'epoch' | null {
  if (last === null) return null;
  const { said: before, isAlive } = last;
  const [epoch, epochBefore] = [said.epoch ?? 0, before.epoch ?? 0];
  if (said.bootId === before.bootId) return said.sequence > before.sequence && epoch >= epochBefore ? null : 'sequence';
  if (epoch > epochBefore || epochBefore === 0) return null;
  return isAlive ? 'epoch' : null;
}
