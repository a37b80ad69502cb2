// What only one worker of a host does at a time, as the controller decides who: the others hear what came of it.

/** A worker wants to do it, or, on a new connection, says that it does. */
export interface FlightWantedMessage {
  readonly type: 'flight_wanted';
  /** A hash: nothing can be read from it. */
  readonly key: string;
  readonly flies: boolean;
}

export interface FlightLandedMessage {
  readonly type: 'flight_landed';
  readonly key: string;
  /** Sealed by the worker; empty: nothing came of it. */
  readonly text: string;
  /** How long it is told to those that come later. */
  readonly keepMs: number;
}

/** `yours`: do it. `running`: another worker does, and this is not all there will be to hear. `landed`: this is what came of it. */
export interface FlightMessage {
  readonly type: 'flight';
  readonly key: string;
  readonly state: 'yours' | 'running' | 'landed';
  readonly text: string;
}
