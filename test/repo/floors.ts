// The floors of the program as data, and the check that every import goes down or stays at home.
import type { Import, ImportKind } from './source-tree.ts';

/** Files that may import each other freely; they import from places on lower floors and from nowhere else. */
interface Place {
  readonly floor: number;
  /** File names, or folder names with a slash at the end. The longest one that fits a file decides. */
  readonly paths: readonly string[];
  /** True: even lower floors are reached only through the doors below. */
  readonly closed?: boolean;
}

export const PLACES: readonly Place[] = [
  { floor: 10, paths: ['tui/'], closed: true },
  { floor: 10, paths: ['bench/'], closed: true },
  {
    floor: 9,
    paths: [
      'balancer/main.ts',
      'balancer/child.ts',
      'balancer/supervisor.ts',
      'balancer/listening-sockets.ts',
      'balancer/slot.ts',
      'balancer/heartbeats.ts',
      'balancer/systemd.ts',
      'balancer/renewals.ts',
      'balancer/rolling-restart.ts',
      'balancer/successor.ts',
      'balancer/predecessor.ts',
      'balancer/offline.ts',
    ],
  },
  { floor: 8, paths: ['balancer/worker/'] },
  { floor: 8, paths: ['balancer/controller/'] },
  {
    floor: 7,
    paths: [
      'balancer/ipc.ts',
      'balancer/ipc-shapes.ts',
      'balancer/ipc-life-cycle.ts',
      'balancer/ipc-succession.ts',
      'balancer/ipc-lines.ts',
      'balancer/ipc-plan.ts',
      'balancer/ipc-generation.ts',
      'balancer/ipc-recent.ts',
      'balancer/ipc-work.ts',
      'balancer/ipc-flights.ts',
      'balancer/ipc-keys.ts',
      'balancer/ipc-limits.ts',
      'balancer/ipc-session-ends.ts',
      'balancer/session-marks.ts',
      'balancer/ipc-slots.ts',
      'balancer/ipc-uses.ts',
    ],
  },
  { floor: 7, paths: ['balancer/listener/'] },
  { floor: 7, paths: ['balancer/registries.ts', 'balancer/host-environment.ts', 'balancer/secret.ts'] },
  { floor: 6, paths: ['balancer/filter/'] },
  { floor: 6, paths: ['balancer/rollout/'] },
  { floor: 5, paths: ['balancer/upstream/'] },
  { floor: 4, paths: ['balancer/http1/'] },
  { floor: 4, paths: ['balancer/http2/'] },
  { floor: 4, paths: ['balancer/steer/'] },
  { floor: 4, paths: ['balancer/route/'] },
  { floor: 4, paths: ['balancer/locate/'] },
  { floor: 4, paths: ['balancer/store/'] },
  { floor: 3, paths: ['balancer/intent/'] },
  { floor: 2, paths: ['balancer/config/'] },
  { floor: 2, paths: ['balancer/telemetry/'] },
  { floor: 1, paths: ['balancer/message/'] },
  { floor: 1, paths: ['balancer/socket/'] },
  { floor: 1, paths: ['health/'] },
  { floor: 1, paths: ['agent/'] },
  { floor: 0, paths: ['balancer/schema/'] },
  { floor: 0, paths: ['balancer/errors.ts', 'balancer/event-codes.ts', 'balancer/log.ts', 'balancer/version.ts'] },
  // What the config says of telemetry, for both, which do not know each other.
  { floor: 1, paths: ['balancer/config/telemetry-config.ts'] },
  // Time and randomness are parameters on every floor, so their types are below all of them.
  { floor: 0, paths: ['health/clock.ts', 'health/back-off.ts'] },
];

/** A way to another place that the floors alone would not give. */
interface Door {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly kinds: readonly ImportKind[];
}

export const DOORS: readonly Door[] = [
  // The terminal and the benchmarks reach the appliance over the network; they know the shape of its answers, nothing else of it.
  { from: ['tui/', 'bench/'], to: ['balancer/controller/api/'], kinds: ['type'] },
  { from: ['tui/', 'bench/'], to: ['health/clock.ts', 'balancer/version.ts'], kinds: ['value', 'type'] },
  // What an agent is started or deployed with is said once, by the agent; a type, so nothing of it is loaded.
  { from: ['tui/command.ts'], to: ['agent/'], kinds: ['type'] },
  // A micro benchmark measures one function, in its own process.
  { from: ['bench/micro/'], to: ['balancer/', 'health/'], kinds: ['value', 'type'] },
  // The command starts programs in its own process; loaded when asked for, so that `weir status` does not load a balancer.
  { from: ['tui/weir.ts'], to: ['balancer/main.ts', 'balancer/offline.ts', 'agent/'], kinds: ['lazy'] },
];

/** Tests are above all floors: they import anything, and nothing imports them. */
const TESTS = 'test/';

/** One message per import that goes up, sideways, or through a wall; names both files and both floors. */
export function breaches(imports: readonly Import[]): readonly string[] {
  return imports.filter((found) => found.relative).flatMap((found) => breach(found) ?? []);
}

/** The files that no place holds. */
export function homeless(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !path.startsWith(TESTS) && placeOf(path) === null);
}

function breach(found: Import): string | null {
  if (found.from.startsWith(TESTS)) return null;
  const where = `${found.from}:${found.line} imports ${found.target}`;
  if (found.target.startsWith(TESTS)) return `${where}: nothing but tests may import from ${TESTS}`;
  const home = placeOf(found.from);
  if (home === null) return `${found.from} stands on no floor: add its folder to PLACES in test/repo/floors.ts`;
  const target = placeOf(found.target);
  if (target === null) return `${where}, which stands on no floor: add its folder to PLACES in test/repo/floors.ts`;
  if (target === home || throughDoor(found)) return null;
  const floors = `${where}: floor ${home.floor} to floor ${target.floor}`;
  if (target.floor > home.floor) return `${floors} goes up; move what both need to a lower floor`;
  if (target.floor === home.floor) return `${floors} goes sideways; move what both need to a lower floor`;
  return home.closed === true ? `${floors} (${found.kind}); only the doors of test/repo/floors.ts are open to it` : null;
}

function placeOf(path: string): Place | null {
  let best: Place | null = null;
  let longest = 0;
  for (const place of PLACES) {
    for (const prefix of place.paths) {
      if (prefix.length > longest && within(path, prefix)) {
        best = place;
        longest = prefix.length;
      }
    }
  }
  return best;
}

function throughDoor(found: Import): boolean {
  return DOORS.some(
    (door) =>
      door.kinds.includes(found.kind) &&
      door.from.some((prefix) => within(found.from, prefix)) &&
      door.to.some((prefix) => within(found.target, prefix)),
  );
}

/** True when `prefix` is the path, or a folder (with a slash at its end) that the path is in. */
export function within(path: string, prefix: string): boolean {
  return prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix;
}
