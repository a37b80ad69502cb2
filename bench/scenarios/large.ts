// Scenario `large`: bodies that no buffer holds.
import { SERVERS } from '../contenders/registry.ts';
import { PLAIN } from '../contender.ts';
import { downloads, startTransferOrigin, uploads } from '../workloads/transfers.ts';
import { compare } from './comparison.ts';

export const large = compare({
  name: 'large',
  summary: 'downloads and uploads of 10 MB: CPU time per megabyte, and the peak memory of the processes that carry them',
  wiring: PLAIN,
  contenders: SERVERS,
  reference: 'nginx',
  parts: [downloads('downloads', [8]), uploads('uploads', [8])],
  origin: startTransferOrigin,
});
