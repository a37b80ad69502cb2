// Brings the config that the fleet has agreed on into service here, beside what this host's own file says of itself.
import type { Config } from '../../config/config.ts';
import { LedgerAwayError, type Ledger } from '../../store/ledger.ts';
import type { Author } from '../../intent/intent.ts';
import { takeConfig } from '../config-taker.ts';
import type { Edge } from '../edge.ts';

export interface Adoption {
  readonly ledger: Ledger;
  readonly author: Author;
  /** Told when the config is in service. */
  readonly onTaken: (config: Config) => void;
}

/** Null: it is in service, or there is nothing to do. Else why the one before stays; has to run alone (`Edge.changes`). */
export async function adoptConfig(edge: Edge, { ledger, author, onTaken }: Adoption): Promise<string | null> {
  const wanted = edge.keeper.config;
  if (wanted === null || wanted === edge.served.shared?.fingerprint) return null;
  if (wanted === edge.configWatch.unfit) return 'the config of the fleet is not served here again: it ended all workers of this host';
  try {
    const text = await ledger.configText(wanted);
    if (text === null) return 'the config of the fleet is not in its store any more; `weir config apply FILE` on any host puts one there';
    const read = edge.options.source.withFleet(text);
    if (!read.ok) return `the config of the fleet cannot be served here: ${read.problems.join('; ')}`;
    const outcome = await takeConfig(edge, read.value, { author, dryRun: false, onTaken });
    return outcome.ok ? null : `the config of the fleet cannot be served here: ${outcome.problem.message}`;
  } catch (error) {
    if (error instanceof LedgerAwayError) return null;
    return error instanceof Error ? error.message : String(error);
  }
}
