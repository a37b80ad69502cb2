// Why a request gets the route it gets: all that fit it in their order, or the nearest of those that do not. Pure; asks the router itself.
import type { ListenerProtocol, PathMatch, RouteConfig, RouteMatch } from '../config/config.ts';
import type { FieldMatch } from '../config/match-config.ts';
import { compileRouter, type RoutableRequest } from './router.ts';

/** A request at a listener. */
export interface Asked {
  readonly listener: string;
  readonly protocol: ListenerProtocol;
  readonly request: RoutableRequest;
}

export interface RouteAnswer {
  readonly route: string;
  /** What of it fits, or what would have to be otherwise. */
  readonly because: string;
}

/** More than anybody reads. */
const MOST_ANSWERS = 5;

/** The routes that fit, the one that is taken first, each with what puts it before the next. */
export function fittingRoutes(routes: readonly RouteConfig[], asked: Asked): readonly RouteAnswer[] {
  let left = routes.filter((route) => fits(route, asked));
  const order: RouteConfig[] = [];
  while (left.length > 0 && order.length <= MOST_ANSWERS) {
    const next = left[compileRouter(left, asked.listener, asked.protocol).match(asked.request)];
    if (next === undefined) break;
    order.push(next);
    left = left.filter((route) => route !== next);
  }
  return order.slice(0, MOST_ANSWERS).map((route, index) => {
    const after = order[index + 1];
    return { route: route.name, because: after === undefined ? 'no other is left' : precedence(route, after) };
  });
}

/** The routes that lack least to fit, each with what would have to be otherwise. */
export function nearestRoutes(routes: readonly RouteConfig[], asked: Asked): readonly RouteAnswer[] {
  return routes
    .map((route) => ({ route, misses: missesOf(route, asked) }))
    .sort((a, b) => cost(a.misses) - cost(b.misses))
    .slice(0, MOST_ANSWERS)
    .map(({ route, misses }) => ({ route: route.name, because: misses.map(({ text }) => text).join('; ') }));
}

function fits(route: RouteConfig, { listener, protocol, request }: Asked): boolean {
  return compileRouter([route], listener, protocol).match(request) >= 0;
}

interface Miss {
  readonly text: string;
  /** How far it is from fitting: another host is farther than another method. */
  readonly cost: number;
}

const cost = (misses: readonly Miss[]): number => misses.reduce((sum, miss) => sum + miss.cost, 0);

const ANYTHING: RouteMatch = { hosts: [], path: { kind: 'prefix', value: '/' }, methods: [], headers: [], query: [] };

/** Each condition is asked for alone. */
function missesOf(route: RouteConfig, asked: Asked): readonly Miss[] {
  const { request } = asked;
  const { hosts, path, methods, headers, query } = route.match;
  const holds = (part: Partial<RouteMatch>): boolean =>
    fits({ ...route, listeners: [asked.listener], match: { ...ANYTHING, ...part } }, asked);
  const misses: Miss[] = [];
  const miss = (text: string, of: number): number => misses.push({ text, cost: of });
  if (!fits({ ...route, match: ANYTHING }, asked))
    miss(`listener ${route.listeners.join(' or ') || 'of protocol http'}, not ${asked.listener}`, 4);
  if (!holds({ hosts })) miss(`host ${hosts.join(' or ')}, not ${request.host === '' ? 'none' : request.host}`, 8);
  if (!holds({ path })) miss(`path ${pathText(path)}, not ${request.path}`, 4 - 2 * likeness(path.value, request.path));
  if (!holds({ methods })) miss(`method ${methods.join(' or ')}, not ${request.method}`, 1);
  for (const field of headers) if (!holds({ headers: [field] })) miss(`header field ${conditionText(field)}`, 1);
  for (const parameter of query) if (!holds({ query: [parameter] })) miss(`query parameter ${conditionText(parameter)}`, 1);
  return misses;
}

/** 0 to 1: the part of the longer path that both begin with. */
function likeness(a: string, b: string): number {
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same += 1;
  return same / Math.max(a.length, b.length, 1);
}

export function matchText({ hosts, path, methods, headers, query }: RouteMatch): string {
  const parts = [hosts.length === 0 ? 'any host' : `host ${hosts.join(' or ')}`, `path ${pathText(path)}`];
  if (methods.length > 0) parts.push(`method ${methods.join(' or ')}`);
  for (const field of headers) parts.push(`header field ${conditionText(field)}`);
  for (const parameter of query) parts.push(`query parameter ${conditionText(parameter)}`);
  return parts.join(', ');
}

function pathText({ kind, value }: PathMatch): string {
  return kind === 'exact' ? `exactly ${value}` : kind === 'regex' ? `like ${value}` : `from ${value} down`;
}

export function conditionText({ name, match }: FieldMatch): string {
  switch (match.kind) {
    case 'exact':
      return `${name}: ${match.value}`;
    case 'regex':
      return `${name} like ${match.value}`;
    case 'present':
      return `${name} present`;
    case 'absent':
      return `${name} absent`;
  }
}

/** The first difference that the order of precedence finds (router.ts); hosts are compared where one route has only such. */
function precedence(route: RouteConfig, after: RouteConfig): string {
  const [a, b] = [route.match, after.match];
  const before = `before ${after.name}: `;
  if (hostRank(a) !== hostRank(b)) return `${before}its host is more exact`;
  if (longest(a.hosts) !== longest(b.hosts) && hostRank(a) === 1) return `${before}its wildcard is longer`;
  if (a.path.kind !== b.path.kind)
    return `${before}${{ exact: 'an exact path', regex: 'a pattern', prefix: 'a prefix' }[a.path.kind]} goes before ${{ exact: 'an exact path', regex: 'a pattern', prefix: 'a prefix' }[b.path.kind]}`;
  if (a.path.kind === 'prefix' && a.path.value.length !== b.path.value.length) return `${before}its path is longer`;
  if (a.methods.length > 0 !== b.methods.length > 0) return `${before}it names a method`;
  if (a.headers.length !== b.headers.length) return `${before}it asks for more header fields`;
  if (a.query.length !== b.query.length) return `${before}it asks for more query parameters`;
  return `${before}it stands first in the file`;
}

function hostRank({ hosts }: RouteMatch): number {
  if (hosts.length === 0) return 0;
  return hosts.every((host) => host.startsWith('*.')) ? 1 : 2;
}

const longest = (hosts: readonly string[]): number => Math.max(0, ...hosts.map((host) => host.length));
