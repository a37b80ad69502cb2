// Fuzz target canonical-path: one path for all, that stays what it is, never climbs, and is the one a browser's parser sees; one route in every reading.
import type { PathPolicy, RouteConfig } from '../../../balancer/config/config.ts';
import { canonicalTarget } from '../../../balancer/message/canonical-path.ts';
import { ALL_DOUBTS, readAs } from '../../../balancer/message/path-readings.ts';
import { compileRouter } from '../../../balancer/route/router.ts';
import { settlePath } from '../../../balancer/route/settle-path.ts';
import type { FuzzTarget } from '../target.ts';

const route = (path: string, paths: PathPolicy): RouteConfig => ({
  name: path,
  listeners: [],
  match: { hosts: [], path: { kind: 'prefix', value: path }, methods: [], headers: [], query: [] },
  paths,
  service: 'shop',
  priorityClass: 'normal',
  clientCertificate: 'none' as const,
  filters: [],
});

const ROUTES = [
  route('/', { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' }),
  route('/admin', { escapedSlashes: 'keep', mergeSlashes: false, parameters: 'keep' }),
  route('/a/b', { escapedSlashes: 'redirect', mergeSlashes: true, parameters: 'strip' }),
  route('/a', { escapedSlashes: 'keep', mergeSlashes: false, parameters: 'strip' }),
];
const ROUTER = compileRouter(ROUTES, 'web');

export const canonicalPath: FuzzTarget = {
  name: 'canonical-path',
  summary: 'Targets of requests: one path, whatever the spelling, and one route in every reading',
  seeds: [
    '/',
    '/admin',
    '/a/b/../c?d',
    '/%61dmin',
    '/a%2Fb',
    '//admin',
    '/admin;x/y',
    '/a/%2e%2E/./b',
    '/.well-known/x',
    '/a/b;c=d/e%5Cf//g',
    '/%2561dmin/%253Bx',
  ],
  dictionary: [
    '/',
    '//',
    '..',
    '.',
    '%2e',
    '%2F',
    '%5c',
    '%',
    '%25',
    ';',
    ';a=b',
    '/admin',
    '/a/b',
    '?',
    '#',
    '\\',
    '%00',
    '%61',
    '%2561',
    '%252F',
    '%3B',
    '/../',
    ' ',
  ],
  parallel: 1,
  open: () => Promise.resolve({ run, close: () => Promise.resolve() }),
};

function run(input: string): string {
  const target = canonicalTarget(input);
  if (target === null) return 'none';
  const { path, doubts } = target;
  const again = canonicalTarget(path);
  if (again?.path !== path || again.doubts !== doubts) throw new Error(`${path} does not stay what it is: ${JSON.stringify(again)}`);
  if (climbs(path)) throw new Error(`${path} climbs`);
  if (doubts === 0) {
    const seen = canonicalTarget(new URL(`http://a${input}`).pathname)?.path;
    if (seen !== encoded(path)) throw new Error(`it is ${path}; a browser asks for ${String(seen)}`);
    return `plain ${shape(path)}`;
  }
  return `${doubts} ${settle(path, doubts)}`;
}

function settle(path: string, pathDoubts: number): string {
  const request = { host: 'a', query: '', method: 'GET', fields: [], path, pathDoubts };
  const match = (asked: typeof request): number => ROUTER.match(asked);
  const settled = settlePath(request, match, (index) => ROUTES[index]?.paths);
  if (settled.kind === 'ambiguous') return settled.kind;
  if (settled.kind === 'redirect') {
    if (settled.path.startsWith('//') || climbs(settled.path)) throw new Error(`redirects to ${settled.path}`);
    return `redirect ${shape(settled.path)}`;
  }
  for (let acted = 0; acted <= ALL_DOUBTS; acted += 1) {
    const reading = readAs(request.path, acted);
    if (climbs(reading) || match({ ...request, path: reading }) !== settled.index)
      throw new Error(`${request.path} can be read as ${reading}`);
  }
  return `${settled.index} ${shape(request.path)}`;
}

const climbs = (path: string): boolean => path.split('/').some((segment) => segment === '.' || segment === '..');
/** What a browser escapes in a path and RFC 3986 forbids there; the engine passes it on as it is. */
const encoded = (path: string): string =>
  path.replaceAll(/["<>^`{}]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
const shape = (path: string): string => path.replaceAll(/[^/;%]+/g, 'x').slice(0, 6);
