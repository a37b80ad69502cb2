// Sessions that providers have ended, as hosts of a fleet leave them for each other.

/** A mark as it is kept: of what is ended, when, and until when that means something. */
export interface StoredMark {
  /** A hash. */
  readonly key: string;
  /** Milliseconds since 1970, as `untilMs`. */
  readonly atMs: number;
  readonly untilMs: number;
}

/** How far a host has read. */
export interface MarksPlace {
  /** Another one: what is kept began anew, and what was there is lost. */
  readonly since: string;
  readonly number: number;
}

export interface MarksRead {
  readonly place: MarksPlace;
  readonly marks: readonly StoredMark[];
  /** No more were there. */
  readonly isAll: boolean;
}

/** All of it may throw `LedgerAwayError`. */
export interface SharedMarks {
  add(marks: readonly StoredMark[]): Promise<void>;
  /** Those that came after; null: all. What none of the fleet has written is left out. */
  after(place: MarksPlace | null): Promise<MarksRead>;
  close(): void;
}
