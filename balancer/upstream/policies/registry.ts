// The list of balancing policies; the first is the default of a cluster.
import { consistentHash } from './consistent-hash.ts';
import { leastRequest } from './least-request.ts';
import { peakEwma } from './peak-ewma.ts';
import type { BalanceDefinition } from './policy.ts';
import { uniformRandom } from './random.ts';
import { roundRobin } from './round-robin.ts';

export const BALANCES: readonly BalanceDefinition[] = [peakEwma, leastRequest, roundRobin, uniformRandom, consistentHash];
