// The news of a large appliance, and how it goes on from second to second: 100 clusters, 1,000 services of two versions in three clusters each.
import type { FeedView, ServiceView, StatusView } from '../../balancer/controller/api/views.ts';
import { extrasView } from './feed-extras.ts';
import { busyStatus, clusterView, targetView, trafficView } from './statuses.ts';

export const LARGE = { clusters: 100, services: 1000, targets: 6 } as const;

/** A figure that moves with the seconds, the same for the same place and second. */
function moving(place: number, second: number): number {
  return 50 + 40 * Math.sin(place * 1.7 + second / 9);
}

function serviceView(index: number, second: number): ServiceView {
  const rps = Math.round(moving(index, second) * 10) / 10;
  const versions = ['blue', 'green'];
  const targets = Array.from({ length: LARGE.targets }, (_, place) => {
    const share = place < 3 ? 0.3 : 0.1 / 3;
    const cluster = `cluster-${String((index * 7 + place * 13) % LARGE.clusters).padStart(3, '0')}`;
    const traffic = trafficView(
      Math.round(rps * share * 10) / 10,
      index % 50 === 0 ? 0.02 : 0,
      Math.round(20 + moving(index + place, second)),
    );
    return targetView(versions[place < 3 ? 0 : 1] ?? '', cluster, share, {
      observedShare: Math.round(share * (1 + Math.sin(second + index) / 50) * 1e4) / 1e4,
      traffic,
    });
  });
  return {
    ...{
      name: `service-${String(index).padStart(4, '0')}`,
      policy: 'capacity',
      onUnavailable: 'redistribute',
      split: { blue: 90, green: 10 },
      glides: [],
    },
    ...{ targets, regions: [], lostShare: 0, shedShare: 0, traffic: trafficView(rps, 0, 40) },
  };
}

export function largeStatus(second: number): StatusView {
  const clusters = Array.from({ length: LARGE.clusters }, (_, index) => {
    const trend = Array.from({ length: 60 }, (__, back) => Math.round(moving(index, second - 59 + back) * 10));
    return clusterView(`cluster-${String(index).padStart(3, '0')}`, { trend, traffic: trafficView(trend.at(-1) ?? 0, 0.0001, 38) });
  });
  const services = Array.from({ length: LARGE.services }, (_, index) => serviceView(index, second));
  const at = new Date(Date.parse('2026-11-21T12:00:00.000Z') + second * 1000).toISOString();
  return busyStatus({ at, clusters, services });
}

/** As it would be parsed from the network: nothing of it is shared with another second's. */
export function largeDocument(second: number): FeedView {
  const status = largeStatus(second);
  const { latency, ...extras } = extrasView(status, second);
  const lines = latency.lines.filter(({ of }, index) => !of.startsWith('service/') || index < 121);
  return JSON.parse(JSON.stringify({ status, ...extras, latency: { ...latency, lines } })) as FeedView;
}
