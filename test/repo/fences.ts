// Which file or folder may import which package, as data, and the check: a vendor that is behind one fence can be replaced in one place.
import { within } from './floors.ts';
import type { Import } from './source-tree.ts';

/** Package or Node module → the files, or folders with a slash at the end, that may import it. Tests may import all of them. */
export const FENCES: Readonly<Record<string, readonly string[]>> = {
  '@fastify/websocket': ['balancer/controller/'],
  '../../balancer/schema/type.ts': [
    'balancer/config/',
    'balancer/filter/',
    'balancer/upstream/policies/',
    'balancer/controller/',
    'agent/',
  ],
  ajv: ['balancer/config/', 'balancer/controller/api/decode.ts', 'balancer/controller/fleet/presence.ts'],
  blessed: ['tui/dashboard/screen.ts'],
  commander: ['tui/program.ts'],
  fastify: ['balancer/controller/'],
  'fast-proxy': ['bench/contenders/'],
  'http-proxy': ['bench/contenders/'],
  jose: ['balancer/filter/authenticate/'],
  ioredis: ['balancer/store/redis/connection.ts'],
  'js-yaml': ['balancer/config/'],
  'mmdb-lib': ['balancer/locate/location-database.ts'],
  pino: ['balancer/log.ts'],
  systeminformation: ['agent/host-meter.ts'],
  undici: [
    'health/',
    'agent/',
    'tui/client.ts',
    'tui/client-feed.ts',
    'balancer/controller/bounded-get.ts',
    'balancer/controller/webhook.ts',
    'balancer/filter/http-questions.ts',
    'balancer/telemetry/span-exporter.ts',
  ],
  ws: ['balancer/controller/'],
  yaml: ['agent/kubernetes/kubeconfig.ts', 'agent/settings.ts', 'balancer/config/syntax-problems.ts', 'tui/output.ts', 'tui/contexts.ts'],
  'node:cluster': ['balancer/supervisor.ts', 'bench/listening.ts'],
  'node:sqlite': ['balancer/store/sqlite.ts', 'balancer/store/sqlite-file.ts', 'balancer/store/history-file.ts'],
};

/** Node modules that the program has an own engine for: nothing of it may serve or send through them. */
const REPLACED: readonly string[] = ['node:http', 'node:https', 'node:http2'];
const REPLACED_IN: readonly string[] = [
  'balancer/worker/',
  'balancer/http1/',
  'balancer/http2/',
  'balancer/listener/',
  'balancer/upstream/',
];
/** Their import takes 50 ms of every start of a process, as it loads what fetch and WebSocket need; `process.getBuiltinModule` does not. */
const SLOW_TO_IMPORT: readonly string[] = ['node:http', 'node:https'];
const STARTED_OFTEN: readonly string[] = ['balancer/', 'health/'];

/** One message per import of a package outside its fence, or of a package that has none. */
export function fenceBreaches(imports: readonly Import[]): readonly string[] {
  return imports.filter((found) => !found.relative && !found.from.startsWith('test/')).flatMap((found) => fenceBreach(found) ?? []);
}

function fenceBreach(found: Import): string | null {
  const name = packageOf(found.target);
  const where = `${found.from}:${found.line} imports ${found.target}`;
  const fence = FENCES[name];
  if (fence !== undefined) {
    return fence.some((prefix) => within(found.from, prefix)) ? null : `${where}, which only ${fence.join(', ')} may`;
  }
  if (!name.startsWith('node:'))
    return `${where}, which has no fence: add it to FENCES in test/repo/fences.ts with the one place that needs it`;
  const replaced = REPLACED.includes(name) && REPLACED_IN.some((prefix) => within(found.from, prefix));
  if (replaced) return `${where}, but the data path uses the engine of its own`;
  const slow = found.kind === 'value' && SLOW_TO_IMPORT.includes(name) && STARTED_OFTEN.some((prefix) => within(found.from, prefix));
  return slow ? `${where}, which makes every start slower; take it from process.getBuiltinModule('${name}')` : null;
}

/** `@scope/name/part` → `@scope/name`, `name/part` → `name`; a Node module keeps its path. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
