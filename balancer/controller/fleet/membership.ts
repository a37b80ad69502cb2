// What makes a host one of a fleet: what it shares with the others, and what tells it from them.
import type { Ledger } from '../../store/ledger.ts';
import type { LimitCounter } from '../../store/limits.ts';
import type { SharedUses } from '../../store/one-time-uses.ts';
import type { SharedMarks } from '../../store/session-ends.ts';

export interface FleetMembership {
  readonly ledger: Ledger;
  /** Of limits that all hosts share. */
  readonly openCounter: () => LimitCounter;
  /** Its name. */
  readonly fleet: string;
  readonly openMarks: () => SharedMarks;
  readonly openUses: () => SharedUses;
  /** Of this host. */
  readonly id: string;
  /** Tells it from a copy of it that lives at the same time. */
  readonly instance: string;
  /** Where it is, for people. */
  readonly place: string;
}
