// Keys that all workers share: of the fleet, or of this host alone, in a file of its own.
import { join } from 'node:path';
import { systemClock } from '../../health/clock.ts';
import type { RedisConfig } from '../config/redis-config.ts';
import { TICKET_KEY_BYTES } from '../ipc.ts';
import type { Log } from '../log.ts';
import { sharedKey } from './fleet/open-ledger.ts';
import { sharedKeyHome } from './fleet/shared-key.ts';
import { KeptKey } from './kept-key.ts';
import { RotatingKey } from './rotating-key.ts';

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

export function rotatingKey(
  { purpose, file, rotateMs }: KeyWish,
  { redis, stateDir, log }: KeyPlace,
  onKey: (key: Buffer) => void,
): RotatingKey {
  const clock = systemClock;
  const home =
    redis === null
      ? new KeptKey({ path: join(stateDir, file), purpose, clock, log })
      : sharedKeyHome((period) => sharedKey(redis, `${purpose} ${period}`, TICKET_KEY_BYTES), clock);
  return new RotatingKey({ home, rotateMs, clock, onKey });
}
