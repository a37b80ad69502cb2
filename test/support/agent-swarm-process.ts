// Many agents in one process, with the way to the hub that the agent has and figures that are always the same. Settings come as JSON on the
// first line of stdin; `drop` on a later one cuts all connections at once, as a hub that restarts or a network that fails does.
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { Hubs } from '../../agent/hubs.ts';
import { resolveByMachine } from '../../agent/hub-addresses.ts';
import { prepareHubs } from '../../agent/hub-settings.ts';
import { createSnapshots } from '../../agent/run.ts';
import { WishBook } from '../../agent/wish-book.ts';
import { silentLog } from '../../balancer/log.ts';
import { systemClock } from '../../health/clock.ts';

export interface SwarmSettings {
  readonly hub: string;
  readonly caFile: string | null;
  /** Cluster → token. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly periodMs: number;
}

const measure = () => Promise.resolve({ cpuUtilisation: 0.25, memoryUtilisation: 0.5, cores: 4, loadAverage1m: 1.5 });

function start({ hub, caFile, tokens, periodMs }: SwarmSettings): readonly { readonly hubs: Hubs; readonly cluster: string }[] {
  return Object.entries(tokens).map(([cluster, token]) => {
    const prepared = prepareHubs({ hubs: [hub], cluster, token, certificate: null, caFile, allowPlain: true });
    if (typeof prepared === 'string') throw new Error(prepared);
    const snapshot = createSnapshots({ cluster, capacityRps: 1000, periodMs }, { clock: systemClock, random: Math.random, measure });
    const hubs = new Hubs(
      { ...prepared, periodMs },
      {
        ...{ clock: systemClock, random: Math.random, log: silentLog, resolve: resolveByMachine },
        ...{ snapshot, wishes: new WishBook(), onWishes: () => undefined },
      },
    );
    hubs.start();
    hubs.lead(Date.now());
    return { hubs, cluster };
  });
}

let swarm: ReturnType<typeof start> = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'drop') for (const { hubs } of swarm) hubs.cut('as the test wants it');
  else if (line === 'silent') process.stdout.write(`${swarm.filter(({ hubs }) => !hubs.ready).length}\n`);
  else swarm = start(JSON.parse(line.startsWith('@') ? readFileSync(line.slice(1), 'utf8') : line) as SwarmSettings);
}
