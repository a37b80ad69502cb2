// Where an address is, by a database in MaxMind's format (MMDB 2.0), as GeoLite2 and GeoIP2 come in: country, subdivision, continent.
import { Reader } from 'mmdb-lib';
import type { ClientLocations } from '../config/region-config.ts';
import type { Place } from '../message/place.ts';
import { BoundedMap } from './bounded-map.ts';

/** Look-ups that are remembered: a client asks more than once, and decoding a record costs more than the rest of a choice. */
const MOST_REMEMBERED = 8192;
/** Decoded records; most addresses share one of a few thousand. */
const MOST_RECORDS = 4096;

type Regions = Omit<ClientLocations, 'database'>;

interface Location {
  readonly place: Place | null;
  readonly region: string | null;
}

const NOWHERE: Location = { place: null, region: null };

export class LocationDatabase {
  readonly #reader: Reader<never>;
  readonly #regions: Regions;
  readonly #remembered = new BoundedMap<string, Location>(MOST_REMEMBERED);

  /** Throws an Error when the bytes are no such database. */
  constructor(bytes: Buffer, regions: Regions) {
    this.#reader = new Reader<never>(bytes, { cache: new BoundedMap<string | number, unknown>(MOST_RECORDS) });
    this.#regions = regions;
  }

  /** The region of where the address is; null: it is no address, the database does not know it, or no region is named for the place. */
  find(address: string): string | null {
    return this.#locate(address).region;
  }

  /** Null: it is no address, or the database does not know it. */
  place(address: string): Place | null {
    return this.#locate(address).place;
  }

  #locate(address: string): Location {
    const known = this.#remembered.get(address);
    if (known !== undefined) return known;
    const place = this.#read(address);
    const location = place === null ? NOWHERE : { place, region: this.#regionOf(place) };
    this.#remembered.set(address, location);
    return location;
  }

  #read(address: string): Place | null {
    let record: unknown;
    try {
      record = this.#reader.get(address);
    } catch {
      // No address, or one of IPv6 in a database of IPv4.
      return null;
    }
    const country = textAt(record, 'country', 'iso_code');
    const continent = textAt(record, 'continent', 'code');
    if (country === '' && continent === '') return null;
    return { country, continent, subdivisions: listAt(record, 'subdivisions').map((part) => `${country}-${textAt(part, 'iso_code')}`) };
  }

  #regionOf({ country, continent, subdivisions }: Place): string | null {
    const regions = this.#regions;
    for (const part of subdivisions) {
      const region = regions.subdivisions[part];
      if (region !== undefined) return region;
    }
    return regions.countries[country] ?? regions.continents[continent] ?? null;
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** Empty: there is none. */
function textAt(value: unknown, ...path: readonly string[]): string {
  const found = path.reduce(at, value);
  return typeof found === 'string' ? found : '';
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const found = at(value, key);
  return Array.isArray(found) ? found : [];
}
