// Which counts of quotas hold: a reset begins new ones, and does away with none, so that it can be taken back. Pure.
import type { Intent, QuotaEpochs } from './intent.ts';

/** Quotas of a consumer count anew from the next revision on. A revision, so that no number comes twice, whatever is undone. */
export function withQuotaReset(intent: Intent, consumer: string, limits: readonly string[]): Intent {
  const epochs = { ...intent.quotaEpochs?.[consumer], ...Object.fromEntries(limits.map((limit) => [limit, intent.revision + 1])) };
  return { ...intent, quotaEpochs: { ...intent.quotaEpochs, [consumer]: epochs } };
}

/** Those that are chosen as they were, the others as they are; nothing where there are none. */
export function restoredEpochs(
  now: QuotaEpochs | undefined,
  then: QuotaEpochs | undefined,
  isChosen: (consumer: string, limit: string) => boolean,
): { readonly quotaEpochs?: QuotaEpochs } {
  if (now === undefined && then === undefined) return {};
  const epochs: Record<string, Record<string, number>> = {};
  const add = (of: QuotaEpochs | undefined, wanted: (consumer: string, limit: string) => boolean): void => {
    for (const [consumer, limits] of Object.entries(of ?? {}))
      for (const [limit, epoch] of Object.entries(limits)) if (wanted(consumer, limit)) (epochs[consumer] ??= {})[limit] = epoch;
  };
  add(now, (consumer, limit) => !isChosen(consumer, limit));
  add(then, isChosen);
  return Object.keys(epochs).length === 0 ? {} : { quotaEpochs: epochs };
}
