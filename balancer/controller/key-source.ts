// Keys that all workers share: of the fleet, or of this host alone, in a file of its own.
import { join } from 'node:path';
import { systemClock } from '../../health/clock.ts';
import type { RedisConfig } from '../config/redis-config.ts';
import { TICKET_KEY_BYTES } from '../ipc.ts';
import type { Log } from '../log.ts';
import { sharedKey } from './fleet/open-ledger.ts';
import { SharedKeys } from './fleet/shared-keys.ts';
import { TicketKeys, type KeySource } from './ticket-keys.ts';

export interface KeyWish {
  readonly purpose: string;
  /** In the state directory. */
  readonly file: string;
  readonly rotateMs: number;
}

export interface KeyPlace {
  /** Null: the host is alone. */
  readonly redis: RedisConfig | null;
  readonly stateDir: string;
  readonly log: Log;
}

export function keySource(
  { purpose, file, rotateMs }: KeyWish,
  { redis, stateDir, log }: KeyPlace,
  onKey: (key: Buffer) => void,
): KeySource {
  if (redis === null) return new TicketKeys({ path: join(stateDir, file), rotateMs, clock: systemClock, log, purpose, onKey });
  const keyOf = (period: number): Buffer => sharedKey(redis, `${purpose} ${period}`, TICKET_KEY_BYTES);
  return new SharedKeys({ keyOf, rotateMs, clock: systemClock, onKey });
}
