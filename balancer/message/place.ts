// Where on earth an address is, as far as somebody says so.

export interface Place {
  /** ISO 3166-1, such as `DE`; empty: unknown. */
  readonly country: string;
  /** ISO 3166-2, such as `US-CA`, the largest first. */
  readonly subdivisions: readonly string[];
  /** AF, AN, AS, EU, NA, OC or SA; empty: unknown. */
  readonly continent: string;
}
