// The regions of clients: by the blocks of the config, and where none holds the address by a database of locations.
import type { Clock } from '../../health/clock.ts';
import { inTurns } from '../../health/in-turns.ts';
import { sameJson } from '../config/canonical-json.ts';
import type { Config } from '../config/config.ts';
import { AddressTable } from '../message/address-table.ts';
import type { Place } from '../message/place.ts';
import { LocationFile } from './location-file.ts';

/** So many blocks are put into the table at a time. */
const BLOCKS_PER_STEP = 64;

export interface RegionSources {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly warn: (problem: string) => void;
}

type Located = Pick<Config, 'clientRegions' | 'clientLocations'>;

export class ClientRegions {
  readonly #config: Located;
  readonly #blocks: AddressTable;
  readonly #file: LocationFile | null;

  private constructor(config: Located, blocks: AddressTable, file: LocationFile | null) {
    this.#config = config;
    this.#blocks = blocks;
    this.#file = file;
  }

  /**
   * Made beside requests: thousands of blocks and a database of locations take longer than one should wait. What `previous` has of the
   * same is used again. Rejects with an Error that teaches when the database cannot be read.
   */
  static async of(config: Located, { clock, warn }: RegionSources, previous: ClientRegions | null): Promise<ClientRegions> {
    const { clientRegions, clientLocations } = config;
    const sameBlocks = previous !== null && sameJson(previous.#config.clientRegions, clientRegions);
    const blocks = sameBlocks ? previous.#blocks : await inTurns(tableInSteps(clientRegions), clock);
    if (clientLocations === null) return new ClientRegions(config, blocks, null);
    const kept = previous !== null && sameJson(previous.#config.clientLocations, clientLocations) ? previous.#file : null;
    return new ClientRegions(config, blocks, kept ?? (await LocationFile.open(clientLocations, { nowMs: () => clock.nowMs(), warn })));
  }

  /** Null: nobody says where the address is. */
  find(address: string): string | null {
    return this.#blocks.find(address) ?? this.#file?.find(address) ?? null;
  }

  /** Null: there is no database of locations, or it does not know the address. */
  place(address: string): Place | null {
    return this.#file?.place(address) ?? null;
  }
}

/** Every region that a client can be found in. */
export function regionsOfClients({ clientRegions, clientLocations }: Located): readonly string[] {
  const { continents = {}, countries = {}, subdivisions = {} } = clientLocations ?? {};
  return [...new Set([clientRegions, continents, countries, subdivisions].flatMap((regions) => Object.values(regions)))].sort();
}

/** Whether anything asks for them. */
export function asksForRegions(config: Pick<Config, 'services'> & Located): boolean {
  return regionsOfClients(config).length > 0 && Object.values(config.services).some(({ steer }) => steer.policy === 'nearest');
}

/** Whether a filter asks for places; `askers` are those that do. */
export function asksForPlaces(
  { clientLocations, routes }: Pick<Config, 'clientLocations' | 'routes'>,
  askers: ReadonlySet<string>,
): boolean {
  return clientLocations !== null && routes.some(({ filters }) => filters.some(({ name }) => askers.has(name)));
}

function* tableInSteps(clientRegions: Config['clientRegions']): Generator<undefined, AddressTable> {
  const table = new AddressTable();
  for (const [index, [block, region]] of Object.entries(clientRegions).entries()) {
    table.add(block, region);
    if (index % BLOCKS_PER_STEP === 0) yield;
  }
  return table;
}
