// Routes of the file → routes of the config, in the order of the file.
import type { Completion } from './completion.ts';
import { reportMismatches, reportUnrouted, routeProtocol, type Neighbours } from './complete-pass-through.ts';
import { completeConditions, completeHeaders } from './complete-match.ts';
import { reportUnreachedPaths } from './complete-own-paths.ts';
import { unknownReference } from './complete-service.ts';
import { inOrder } from './canonical-json.ts';
import type { FilterConfig, ListenerConfig, PathMatch, PathPolicy, RouteConfig, RouteMatch } from './config.ts';
import type { OptionsPlace } from './extension.ts';
import type { ValuePath } from './problems.ts';
import { percentRatio } from './quantities.ts';
import type { RouteFile } from './schema-fleet.ts';
import { shadowingRoutes, type RankedRoute } from './shadowed.ts';

const MAX_NAME_LENGTH = 63;

export function completeRoutes(files: readonly RouteFile[], neighbours: Neighbours, completion: Completion): readonly RouteConfig[] {
  const context = { neighbours, completion };
  const names = routeNames(files, completion);
  const routes: (RankedRoute & { readonly path: ValuePath; readonly index: number })[] = [];
  files.forEach((file, index) => {
    const known = completion.known?.get(file);
    const path = ['routes', index];
    if (known !== undefined && known.name === names[index]) {
      completion.completed.set(file, known);
      routes.push({ route: known, path, index, comparable: true });
      return;
    }
    if (completion.isBroken(path)) return;
    const filesNamed = completion.filesNamed;
    const route = completeRoute(file, { name: names[index] ?? '', path }, completion);
    if (completion.filesNamed === filesNamed) completion.completed.set(file, route);
    const protocol = routeProtocol(file, path, context);
    if (protocol !== null) reportMismatches(file, protocol, path, context);
    // A route that was taken apart matches what nobody wrote.
    routes.push({
      route,
      path,
      index,
      comparable: !completion.isTouched([...path, 'match']) && !completion.isTouched([...path, 'listeners']),
    });
  });
  if (files.length > 0 && !completion.isTouched(['routes'])) reportUnrouted(new Set(files.flatMap(({ listeners }) => listeners)), context);
  const passing = new Set(neighbours.listeners.filter(({ protocol }) => protocol !== 'http').map(({ name }) => name));
  const httpListeners = [...completion.declared.listeners].filter((name) => !passing.has(name));
  for (const { shadowed, by } of shadowingRoutes(routes, httpListeners)) {
    completion.report(
      shadowed.path,
      `route "${shadowed.route.name}" can never match: route "${by.route.name}" above it takes the same requests; narrow one of the two or remove it`,
    );
  }
  if (routes.every(({ comparable }) => comparable)) reportUnreachedPaths(routes, files, completion);
  return routes.map(({ route }) => route);
}

/** A certificate that no listener of the route asks for never comes. */
export function reportUnaskedCertificates(files: readonly RouteFile[], listeners: readonly ListenerConfig[], completion: Completion): void {
  if (completion.isTouched(['listeners'])) return;
  files.forEach((file, index) => {
    if (completion.isBroken(['routes', index]) || file.clientCertificate === 'none') return;
    const reached = listeners.filter(({ name }) => file.listeners.length === 0 || file.listeners.includes(name));
    if (reached.length > 0 && !reached.some(({ tls }) => (tls?.clientCertificates ?? null) !== null))
      completion.report(
        ['routes', index, 'clientCertificate'],
        `no listener of the route asks for certificates, so none of its requests would be let through; give one tls: { clientCertificates: { mode: optional, ca: … } }`,
      );
  });
}

/** A route without a name is called after its service, with a number when that is taken. */
function routeNames(files: readonly RouteFile[], completion: Completion): readonly string[] {
  const taken = new Set<string>();
  files.forEach((file, index) => {
    if (completion.isBroken(['routes', index]) || file.name === undefined) return;
    if (taken.has(file.name))
      completion.report(['routes', index, 'name'], `"${file.name}" is already the name of a route above; names are unique`);
    taken.add(file.name);
  });
  const next = new Map<string, number>();
  return files.map((file, index) => {
    if (completion.isBroken(['routes', index])) return '';
    if (file.name !== undefined) return file.name;
    for (let number = next.get(file.service) ?? 1; ; number += 1) {
      const ending = number === 1 ? '' : `-${number}`;
      const name = `${file.service.slice(0, MAX_NAME_LENGTH - ending.length)}${ending}`;
      if (taken.has(name)) continue;
      next.set(file.service, number + 1);
      taken.add(name);
      return name;
    }
  });
}

interface RoutePlace {
  readonly name: string;
  readonly path: ValuePath;
}

function completeRoute(file: RouteFile, { name, path }: RoutePlace, completion: Completion): RouteConfig {
  const { services, listeners } = completion.declared;
  if (!services.has(file.service)) completion.report([...path, 'service'], unknownReference('service', file.service, services));
  file.listeners.forEach((listener, index) => {
    if (!listeners.has(listener)) completion.report([...path, 'listeners', index], unknownReference('listener', listener, listeners));
  });
  return {
    name,
    listeners: unique(file.listeners),
    match: completeMatch(file.match, [...path, 'match'], completion),
    paths: pathPolicy(file.paths),
    service: file.service,
    priorityClass: file.priorityClass,
    ...(percentRatio(file.logged) === 1 ? {} : { logged: percentRatio(file.logged) }),
    clientCertificate: file.clientCertificate,
    filters: completeFilters(file.filters, [...path, 'filters'], completion),
  };
}

/** What most routes have in common is there once: thousands of them take less memory, and less time to go through. */
const NONE: readonly never[] = Object.freeze([]);
const policies = new Map<string, PathPolicy>();

/** As many as there are combinations, at most. */
function pathPolicy({ escapedSlashes, mergeSlashes, parameters }: PathPolicy): PathPolicy {
  const key = `${escapedSlashes} ${mergeSlashes} ${parameters}`;
  const known = policies.get(key);
  if (known !== undefined) return known;
  const policy = Object.freeze({ escapedSlashes, mergeSlashes, parameters });
  policies.set(key, policy);
  return policy;
}

function unique<T>(values: readonly T[]): readonly T[] {
  return values.length === 0 ? NONE : values.length === 1 ? values : [...new Set(values)];
}

function completeMatch(file: RouteFile['match'], path: ValuePath, completion: Completion): RouteMatch {
  return {
    hosts: unique(file.hosts.map((host) => host.toLowerCase())),
    path: completePath(file, path, completion),
    methods: unique(file.methods),
    headers: completeHeaders(file.headers, [...path, 'headers'], completion),
    query: completeConditions(file.query),
  };
}

const PATH_KEYS = ['exact', 'regex', 'path'] as const;

function completePath(file: RouteFile['match'], path: ValuePath, completion: Completion): PathMatch {
  const [first, second] = PATH_KEYS.filter((key) => file[key] !== undefined);
  if (first !== undefined && second !== undefined)
    completion.reportKey([...path, second], `${first} and ${second} stand together; keep one of path, exact and regex`);
  if (file.exact !== undefined) return { kind: 'exact', value: file.exact };
  if (file.regex !== undefined) return { kind: 'regex', value: file.regex };
  const prefix = file.path ?? '/';
  // By element, so a slash at the end says nothing more.
  return { kind: 'prefix', value: prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix };
}

/** In the order of the registry: it decides in which order filters run, whatever the order of the file. */
function completeFilters(
  files: readonly Readonly<Record<string, unknown>>[],
  path: ValuePath,
  completion: Completion,
): readonly FilterConfig[] {
  if (files.length === 0) return NONE;
  const order = completion.extensions.filters;
  const filters: FilterConfig[] = [];
  files.forEach((file, index) => {
    for (const [name, options] of Object.entries(file)) {
      if (filters.some((filter) => filter.name === name))
        completion.reportKey([...path, index, name], `filter ${name} is already given above; put all its options into one entry`);
      const extension = order.find((one) => one.name === name);
      const problem = extension?.problem?.(options) ?? null;
      if (problem !== null) completion.report([...path, index, name], problem);
      const complete = extension?.complete?.(options, optionsPlace([...path, index, name], completion)) ?? options;
      filters.push({ name, options: inOrder(complete) });
    }
  });
  return filters.sort((a, b) => order.findIndex(({ name }) => name === a.name) - order.findIndex(({ name }) => name === b.name));
}

function optionsPlace(base: ValuePath, completion: Completion): OptionsPlace {
  return {
    consumers: completion.declared.consumers,
    issuers: completion.declared.issuers,
    limits: completion.declared.limits,
    hasLocations: completion.declared.hasLocations,
    report: (path, message) => completion.report([...base, ...path], message),
    secret: (path, where) => completion.secret([...base, ...path], where),
    readableFile: (path, file) => completion.readableFile([...base, ...path], file),
    textOf: (file) => completion.environment.textOf?.(file) ?? null,
  };
}
