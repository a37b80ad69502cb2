// States of the dashboard for tests, reached the way a session reaches them: by actions.
import type { StatusView } from '../../balancer/controller/api/views.ts';
import type { Size } from '../../tui/dashboard/frame.ts';
import { type Action, initialState, reduce } from '../../tui/dashboard/model.ts';
import type { DashboardState } from '../../tui/dashboard/state.ts';
import { extrasView } from './feed-extras.ts';
import { busyStatus } from './statuses.ts';

export const START_MS = 5000;

export function emptyState(size: Size = { columns: 80, rows: 24 }): DashboardState {
  return initialState({
    ...{ where: 'unix:/run/weir/admin.sock', context: null, readOnly: false, intervalMs: 500, size, nowMs: START_MS },
    ...{ look: { theme: '256', ascii: false }, mouse: false },
  });
}

/** Has got `status` at START_MS. */
export function liveState(size: Size = { columns: 80, rows: 24 }, status: StatusView = busyStatus()): DashboardState {
  return reduce(emptyState(size), { type: 'status', status, extras: extrasView(status), atMs: START_MS });
}

export function after(state: DashboardState, ...actions: readonly Action[]): DashboardState {
  return actions.reduce(reduce, state);
}
