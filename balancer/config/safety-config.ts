// The rules that changes of the intent have to keep.

export type TimedAct = 'drain' | 'maintenance' | 'dial' | 'shift';

export interface FreezeWindow {
  /** As in cron; every minute that it names is frozen. */
  readonly when: string;
  readonly timeZone: string;
}

/** Services that take two people. */
export interface ApprovalConfig {
  readonly services: readonly string[];
  /** For the second one. */
  readonly waitMs: number;
}

export interface SafetyConfig {
  /** What needs a time, or a word that it is to stay. */
  readonly requireExpiry: readonly TimedAct[];
  /** Of each service. */
  readonly minActiveClusters: number;
  /** Millionths of a service that one step may move; a million: all. */
  readonly maxShift: number;
  /** 0 to 1, of the capacity of the fleet. */
  readonly maxCapacityOut: number;
  readonly freeze: readonly FreezeWindow[];
  readonly approval: ApprovalConfig;
}
