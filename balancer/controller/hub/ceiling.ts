// The most that is believed of a cluster, whatever its agent says: who holds the token of an agent can take a cluster traffic, and must not be
// able to draw all of it there. Pure.
import type { CapacityReport } from '../../steer/plan-shape.ts';
import { estimate } from '../../steer/capacity.ts';

/** The report as far as it stays below the ceiling: what is said, and what can be learned of what is said. Null: there is no ceiling. */
export function withinCeiling<T extends CapacityReport>(report: T, ceilingRps: number | null): T {
  if (ceilingRps === null) return report;
  const capacityRps = report.capacityRps === null ? null : Math.min(report.capacityRps, ceilingRps);
  const learned = estimate(report);
  if (learned === null || learned <= ceilingRps || report.requestsPerSecond === null) return { ...report, capacityRps };
  // Fewer requests for the same use are a smaller capacity; the part that failed stays the same.
  const part = ceilingRps / learned;
  return { ...report, capacityRps, requestsPerSecond: report.requestsPerSecond * part, errorsPerSecond: report.errorsPerSecond * part };
}
