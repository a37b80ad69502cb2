// Where this host is: what tells it from a copy of it that was made with its id and runs at the same time.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export interface Place {
  /** The same for every controller that is started here, so that none has to wait until the one before it is forgotten. */
  readonly instance: string;
  /** For people. */
  readonly place: string;
}

/** A copy of the directory is another file system or another inode of it; a copied machine has booted by itself. */
export function placeOf(stateDir: string): Place {
  const { dev, ino } = statSync(stateDir);
  const instance = createHash('sha256').update(`${bootId()} ${dev} ${ino}`).digest('hex').slice(0, 32);
  return { instance, place: `${address()}, ${stateDir}` };
}

/** Where the system has none, each controller is a place of its own. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return randomUUID();
  }
}

function address(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all);
  return (addresses.find(({ internal }) => !internal) ?? addresses[0])?.address ?? 'an unknown address';
}
