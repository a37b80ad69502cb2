// What comes little by little, on the screens of the dashboard and in tables: from where to where, how far it is, and a countdown that goes on between two statuses.
import { deepEqual, match } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GlideView, StatusView } from '../../../../balancer/controller/api/views.ts';
import { frameText, type Size } from '../../../../tui/dashboard/frame.ts';
import type { ScreenName } from '../../../../tui/dashboard/state.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import { dialText, glideLines, splitText } from '../../../../tui/glide-text.ts';
import { after, liveState, START_MS } from '../../../support/dashboard-state.ts';
import { busyStatus, clusterView } from '../../../support/statuses.ts';

const WIDE: Size = { columns: 160, rows: 40 };

const glide = (field: string, name: string, [from, now, to]: readonly [number, number, number]): GlideView => ({
  ...{ revision: 12, field, name, from, now, to, remainingSeconds: 240 },
  ...{ since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:10:00.000Z' },
});
const SPLIT = [glide('shop.split', 'blue', [0.88, 0.8432, 0.5]), glide('shop.split', 'green', [0.12, 0.1568, 0.5])];

function gliding(): StatusView {
  const status = busyStatus();
  // The one that the screen of clusters begins with.
  const clusters = status.clusters.map((cluster) =>
    cluster.name === 'ap-south'
      ? { ...cluster, admin: 'active' as const, dialPercent: 43.2143, glides: [glide('ap-south.admin', 'drain', [1, 0.432143, 0])] }
      : cluster,
  );
  const services = status.services.map((service) =>
    service.name === 'shop' ? { ...service, split: { blue: 84.3217, green: 15.6783 }, glides: SPLIT } : service,
  );
  return { ...status, clusters, services };
}

function shown(screen: ScreenName, laterMs = 0): string {
  const state = after(liveState(WIDE, gliding()), { type: 'screen', screen }, { type: 'tick', nowMs: START_MS + laterMs });
  return frameText(dashboardFrame(state));
}

describe('what is on its way', () => {
  test('is in the first line of every screen, with the time that is left', () => {
    match(shown('overview').split('\n')[0] ?? '', /\[1 ON ITS WAY 4m\]/);
    match(shown('edges', 180_500).split('\n')[0] ?? '', /\[1 ON ITS WAY 59s\]/);
  });

  test('is among the changes part by part, and counts down between two statuses', () => {
    match(shown('changes'), /on its way: shop\.split: blue 88% → 50%, 84\.3% now; green 12% → 50%, 15\.7% now; 4m left \(revision 12\)/);
    match(shown('changes', 2000), /3m58s left \(revision 12\)/);
  });

  test('stands with its service and its cluster, in figures that do not flicker', () => {
    match(shown('overview'), /shop +blue 84\.3 {2}green 15\.7 /);
    match(shown('service'), /split blue 84\.3 {2}green 15\.7[^]*on its way: shop\.split/);
    match(shown('cluster'), /cluster ap-south[^]*dial 43\.2% → drain \(4m\)/);
  });
});

test('tables say where a split and a dial go', () => {
  const { services, clusters } = gliding();
  deepEqual(services.filter(({ name }) => name === 'shop').map(splitText), ['blue=84.3% green=15.7% → blue=50% green=50% (4m)']);
  deepEqual(clusters.filter(({ name }) => name === 'ap-south').map(dialText), ['43.2% → drain (4m)']);
  const dialled = clusterView('eu-west', { dialPercent: 70, glides: [glide('eu-west.dialPercent', 'eu-west', [1, 0.7, 0.5])] });
  deepEqual(dialText(dialled), '70% → 50% (4m)');
  deepEqual([dialText(clusterView('eu-west')), glideLines([])], ['100%', []]);
});
