// services.<name>.circuit: when a version is cut off in a cluster because too much fails there.
import { Type, type Static } from '../schema/type.ts';
import { parseStatuses } from './addresses.ts';
import type { CircuitConfig } from './circuit-config.ts';
import { durationMs, percentRatio } from './quantities.ts';
import { duration, formsOf, mapping, valueOf } from './schema-parts.ts';

export const circuit = Type.Optional(
  mapping(
    {
      window: duration('Length of the window in which requests are counted; it slides', '10s'),
      ratio: valueOf('percent', 'Part of the requests of a window that must fail to open the circuit', '50%'),
      minRequests: Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        default: 20,
        description: 'Requests a window of a worker needs before its ratio counts',
      }),
      open: duration('How long it stays open; the n-th time in a row n times this, less up to a tenth at random', '5s'),
      maxOpen: duration('Longest time that it stays open', '60s'),
      trials: Type.Integer({
        minimum: 1,
        maximum: 1000,
        default: 3,
        description: 'Half open: how many requests each worker lets through in a second, and how many must succeed in a row before all are',
      }),
      statuses: formsOf<string | number | (string | number)[]>(
        'statuses',
        'Statuses of answers that count as failed; a call of gRPC by the HTTP status that its own stands for',
        '500-599',
      ),
    },
    'Circuit breaker for each version in each cluster, beside the ejection of `clusters.<name>.outlier`; absent: none. Connections that fail, resets and time-outs count as failed, clients that leave do not',
  ),
);

export type CircuitFile = Static<typeof circuit>;

/** Nothing where the file has none. */
export function completeCircuit(file: CircuitFile | undefined): { readonly circuit?: CircuitConfig } {
  if (file === undefined) return {};
  return {
    circuit: {
      windowMs: durationMs(file.window),
      ratio: percentRatio(file.ratio),
      minRequests: file.minRequests,
      openMs: durationMs(file.open),
      maxOpenMs: durationMs(file.maxOpen),
      trials: file.trials,
      statuses: parseStatuses(file.statuses) ?? [],
    },
  };
}
