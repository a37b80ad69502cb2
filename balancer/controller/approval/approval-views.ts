// What waits for a second person, as the API shows it.
import type { ApprovalView } from '../api/approval-view.ts';
import type { Edge } from '../edge.ts';
import { toldApproval } from './approvals.ts';

/** Of all hosts, of the others as last heard (`fleet.refresh`); the next to be dropped first. */
export function approvalViews(edge: Edge): readonly ApprovalView[] {
  const nowMs = edge.options.clock.wallMs();
  const told = [
    ...edge.approvals.all().map((pending) => ({ ...toldApproval(pending), host: edge.config.hostName })),
    ...edge.fleet
      .peers()
      .flatMap(({ presence, silentMs }) =>
        silentMs === null ? (presence.approvals ?? []).map((one) => ({ ...one, host: presence.name })) : [],
      ),
  ];
  return told
    .map((one) => ({ ...one, remainingSeconds: Math.ceil((Date.parse(one.until) - nowMs) / 1000) }))
    .filter(({ remainingSeconds }) => remainingSeconds > 0)
    .sort((one, other) => one.remainingSeconds - other.remainingSeconds);
}
