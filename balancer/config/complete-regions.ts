// The regions of clients: every block once, and no region that nothing is near to.
import { blockName } from '../message/address-table.ts';
import type { Completion } from './completion.ts';
import type { Config } from './config.ts';
import { nearest } from './nearest.ts';
import type { ClientLocations } from './region-config.ts';
import type { ConfigFile } from './schema.ts';

/** Each of them has shares of its own in every service with `nearest`, worked out once a second. */
const MOST_CLIENT_REGIONS = 32;

export function completeClientRegions(file: ConfigFile, completion: Completion): Config['clientRegions'] {
  const { clientRegions } = file;
  if (completion.isTouched(['clientRegions'])) return clientRegions;
  const written = new Map<string, string>();
  for (const block of Object.keys(clientRegions)) {
    const name = blockName(block);
    const earlier = written.get(name);
    if (earlier !== undefined) completion.reportKey(['clientRegions', block], `holds the same addresses as "${earlier}"; keep one of them`);
    written.set(name, block);
  }
  reportUnknown(clientRegions, ['clientRegions'], { file, completion });
  reportTooMany(file, completion);
  return clientRegions;
}

const PLACES = ['countries', 'subdivisions', 'continents'] as const;

export function completeClientLocations(file: ConfigFile, completion: Completion): ClientLocations | null {
  const { clientLocations } = file;
  if (clientLocations === undefined) return null;
  if (completion.isTouched(['clientLocations'])) return clientLocations;
  for (const kind of PLACES) reportUnknown(clientLocations[kind], ['clientLocations', kind], { file, completion });
  return { ...clientLocations, database: completion.readableFile(['clientLocations', 'database'], clientLocations.database) };
}

interface Reporting {
  readonly file: ConfigFile;
  readonly completion: Completion;
}

/** A region that a whole table uses is one problem. */
function reportUnknown(regions: Readonly<Record<string, string>>, path: readonly string[], { file, completion }: Reporting): void {
  if (!isWhole(completion)) return;
  const known = knownRegions(file);
  const reported = new Set<string>();
  for (const [key, region] of Object.entries(regions)) {
    if (known.has(region) || reported.has(region)) continue;
    reported.add(region);
    completion.report(
      [...path, key],
      `no cluster is in region "${region}", and regions has no distance from it; ${suggestion(region, [...known])}`,
    );
  }
}

function reportTooMany({ clientRegions, clientLocations }: ConfigFile, completion: Completion): void {
  const located = PLACES.flatMap((kind) => Object.values(clientLocations?.[kind] ?? {}));
  const names = new Set([...Object.values(clientRegions), ...located]);
  if (names.size > MOST_CLIENT_REGIONS)
    completion.report(
      [Object.keys(clientRegions).length > 0 ? 'clientRegions' : 'clientLocations'],
      `names ${names.size} regions; expected at most ${MOST_CLIENT_REGIONS}, since each has shares of its own in every service: give places that are served by the same clusters one region`,
    );
}

function suggestion(region: string, known: readonly string[]): string {
  const meant = nearest(region, known);
  if (meant !== null) return `did you mean "${meant}"?`;
  return known.length === 0 ? 'give clusters a region' : `known: ${known.slice(0, 10).join(', ')}`;
}

/** Where something could not be read, a region that is not known may be in it. */
function isWhole(completion: Completion): boolean {
  return !completion.isTouched(['regions']) && !completion.isTouched(['clusters']) && !completion.isTouched(['host']);
}

function knownRegions({ host, regions, clusters }: ConfigFile): ReadonlySet<string> {
  return new Set([
    ...(host.region === undefined ? [] : [host.region]),
    ...Object.values(clusters).flatMap(({ region }) => (region === undefined ? [] : [region])),
    ...Object.entries(regions).flatMap(([from, to]) => [from, ...Object.keys(to)]),
  ]);
}
