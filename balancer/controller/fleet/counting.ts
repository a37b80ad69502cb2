// What hosts have counted of the rollouts they follow, as the leader reads it.
import type { HostText } from '../../store/ledger.ts';
import { decodeCounts, type HostCounts } from './presence.ts';

/** What one host has told. */
export interface Counted {
  readonly id: string;
  readonly counts: HostCounts;
}

/** What cannot be read is left out. */
export function countedBy(texts: readonly HostText[]): readonly Counted[] {
  return texts.flatMap(({ id, text }) => {
    const counts = decodeCounts(text);
    return counts === null ? [] : [{ id, counts }];
  });
}
