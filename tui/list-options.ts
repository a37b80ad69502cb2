// What may be said of a list that is asked for.

export interface ListOptions {
  /** The one of this name. */
  readonly name?: string;
  /** Of events and revisions, newest first. */
  readonly limit?: number;
  /** Of revisions: those before it. */
  readonly before?: number;
  /** Of routes: those that lead to it. */
  readonly service?: string;
}
