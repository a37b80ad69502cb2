// Drills of the file as the controller begins them.
import type { Completion } from './completion.ts';
import type { DrillConfig } from './drill-config.ts';
import { durationMs } from './quantities.ts';
import type { DrillFile } from './schema-drills.ts';

const LEAST_MS = 10_000;
const MOST_MS = 86_400_000;

export function completeDrills(file: Readonly<Record<string, DrillFile>>, completion: Completion): Readonly<Record<string, DrillConfig>> {
  return Object.fromEntries(
    completion.usable('drills', file).map(([name, { cluster, dial, for: time, abortIf, when, timeZone }]) => {
      const forMs = durationMs(time);
      const { clusters } = completion.declared;
      if (!clusters.has(cluster))
        completion.report(['drills', name, 'cluster'], `there is no cluster "${cluster}"; expected one of ${[...clusters].join(', ')}`);
      if (forMs < LEAST_MS || forMs > MOST_MS) completion.report(['drills', name, 'for'], `a drill lasts from 10s to 24h, got "${time}"`);
      return [name, { cluster, act: dial === undefined ? 'drain' : 'dial', percent: dial ?? 0, forMs, abortIf, when, timeZone }];
    }),
  );
}
