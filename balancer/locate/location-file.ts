// A database of locations on disk: read beside requests, and again when the file has changed.
import { readFile, stat } from 'node:fs/promises';
import type { ClientLocations } from '../config/region-config.ts';
import type { Place } from '../message/place.ts';
import { LocationDatabase } from './location-database.ts';

/** The file is looked at this often, when there is something to find; no request waits for that. */
const LOOK_MS = 1000;

export interface LocationSources {
  readonly nowMs: () => number;
  /** A file that was changed cannot be used; what was read before is. */
  readonly warn: (problem: string) => void;
}

export class LocationFile {
  readonly locations: ClientLocations;
  readonly #sources: LocationSources;
  #database: LocationDatabase;
  #stamp: string;
  #lookedMs: number;
  #looking: Promise<void> | null = null;

  private constructor(locations: ClientLocations, read: Read, sources: LocationSources) {
    this.locations = locations;
    this.#sources = sources;
    this.#database = read.database;
    this.#stamp = read.stamp;
    this.#lookedMs = sources.nowMs();
  }

  /** Rejects with an Error that teaches when the file cannot be read or is no such database. */
  static async open(locations: ClientLocations, sources: LocationSources): Promise<LocationFile> {
    return new LocationFile(locations, await read(locations, ''), sources);
  }

  find(address: string): string | null {
    return this.#fresh().find(address);
  }

  place(address: string): Place | null {
    return this.#fresh().place(address);
  }

  #fresh(): LocationDatabase {
    if (this.#looking === null && this.#sources.nowMs() - this.#lookedMs >= LOOK_MS) void this.look();
    return this.#database;
  }

  /** Reads the file again if it has changed. */
  look(): Promise<void> {
    this.#lookedMs = this.#sources.nowMs();
    this.#looking ??= this.#refresh().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #refresh(): Promise<void> {
    try {
      const { database, stamp } = await read(this.locations, this.#stamp, this.#database);
      this.#database = database;
      this.#stamp = stamp;
    } catch (error) {
      this.#sources.warn(`${error instanceof Error ? error.message : String(error)}; what was read before is kept`);
    }
  }
}

interface Read {
  readonly database: LocationDatabase;
  readonly stamp: string;
}

/** `known` is given back while the file has the stamp that it was read with. */
async function read(locations: ClientLocations, stamp: string, known: LocationDatabase | null = null): Promise<Read> {
  const { database: path, ...regions } = locations;
  const { mtimeMs, size, ino } = await stat(path);
  const found = `${mtimeMs}/${size}/${ino}`;
  if (known !== null && found === stamp) return { database: known, stamp };
  const bytes = await readFile(path);
  try {
    return { database: new LocationDatabase(bytes, regions), stamp: found };
  } catch (error) {
    throw new Error(`${path} is no database of locations; expected the MMDB format of MaxMind, such as GeoLite2-Country.mmdb`, {
      cause: error,
    });
  }
}
