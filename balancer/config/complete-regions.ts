// The regions of clients: every block once, and no region that nothing is near to.
import { blockName } from '../message/address-table.ts';
import type { Completion } from './completion.ts';
import type { Config } from './config.ts';
import { nearest } from './nearest.ts';
import type { ConfigFile } from './schema.ts';

/** Each of them has shares of its own in every service with `nearest`, worked out once a second. */
const MOST_CLIENT_REGIONS = 32;

export function completeClientRegions(file: ConfigFile, completion: Completion): Config['clientRegions'] {
  const { clientRegions } = file;
  if (completion.isTouched(['clientRegions'])) return clientRegions;
  const written = new Map<string, string>();
  const known = knownRegions(file);
  const reported = new Set<string>();
  for (const [block, region] of Object.entries(clientRegions)) {
    const name = blockName(block);
    const earlier = written.get(name);
    if (earlier !== undefined) completion.reportKey(['clientRegions', block], `holds the same addresses as "${earlier}"; keep one of them`);
    written.set(name, block);
    // A region that the whole table uses is one problem.
    if (known.has(region) || reported.has(region)) continue;
    reported.add(region);
    if (isWhole(completion))
      completion.report(
        ['clientRegions', block],
        `no cluster is in region "${region}", and regions has no distance from it; ${suggestion(region, [...known])}`,
      );
  }
  const names = new Set(Object.values(clientRegions));
  if (names.size > MOST_CLIENT_REGIONS)
    completion.report(
      ['clientRegions'],
      `names ${names.size} regions; expected at most ${MOST_CLIENT_REGIONS}, since each has shares of its own in every service: give blocks that are served by the same clusters one region`,
    );
  return clientRegions;
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
