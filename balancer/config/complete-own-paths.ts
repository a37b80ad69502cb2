// Paths that filters answer themselves: some route with the filter must take them, or nobody gets there.
import type { Completion } from './completion.ts';
import type { RouteConfig } from './config.ts';
import type { RouteFile } from './schema-fleet.ts';

export interface PlacedRoute {
  readonly route: RouteConfig;
  /** Among the routes of the file. */
  readonly index: number;
}

export function reportUnreachedPaths(routes: readonly PlacedRoute[], files: readonly RouteFile[], completion: Completion): void {
  for (const { name, ownPaths } of completion.extensions.filters) {
    if (ownPaths === undefined) continue;
    const using = routes.filter(({ route }) => route.filters.some((filter) => filter.name === name));
    for (const { route, index } of using) {
      const options = route.filters.find((filter) => filter.name === name)?.options;
      const at = files[index]?.filters.findIndex((file) => Object.hasOwn(file, name)) ?? 0;
      for (const [key, path] of Object.entries(ownPaths(options)))
        if (!using.some((other) => takes(other.route, path) && sharesHost(other.route, route)))
          completion.report(
            ['routes', index, 'filters', at, name, key],
            `${path} is taken, by GET, by no route with the filter ${name}, so who is sent there would find nothing; expected a path that this route takes${such(route)}, or another route for it with the same filter`,
          );
    }
  }
}

/** What a regular expression takes is left open. */
function takes({ match: { path, methods } }: RouteConfig, wanted: string): boolean {
  if (methods.length > 0 && !methods.includes('GET')) return false;
  if (path.kind === 'regex') return true;
  if (path.kind === 'exact') return path.value === wanted;
  return path.value === '/' || wanted === path.value || wanted.startsWith(`${path.value}/`);
}

const sharesHost = (one: RouteConfig, other: RouteConfig): boolean =>
  one.match.hosts.length === 0 || other.match.hosts.length === 0 || one.match.hosts.some((host) => other.match.hosts.includes(host));

const such = ({ match: { path } }: RouteConfig): string =>
  path.kind === 'prefix' && path.value !== '/' ? `, such as ${path.value}/…` : '';
