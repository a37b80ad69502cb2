// Where things are, as a config says it: how far regions are from each other, and which region an address is in.

/** Region → region → how far; both ways the same. */
export type RegionDistances = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Region by place; a subdivision counts before its country, and that before its continent. */
export interface ClientLocations {
  /** Path of a file in MaxMind's format. */
  readonly database: string;
  /** By the codes of ISO 3166-1, such as `DE`, and 3166-2, such as `US-CA`; continents by those of MaxMind, such as `EU`. */
  readonly countries: Readonly<Record<string, string>>;
  readonly subdivisions: Readonly<Record<string, string>>;
  readonly continents: Readonly<Record<string, string>>;
}
