// What the config is handed: every filter and balancing policy there is, as extensions of the file.
import type { ConfigExtensions } from './config/extension.ts';
import { FILTERS } from './filter/registry.ts';
import { readGate } from './rollout/gates/registry.ts';
import { BALANCES } from './upstream/policies/registry.ts';

export const EXTENSIONS: ConfigExtensions = {
  filters: FILTERS.map((filter) => ({ ...filter, problem: (options: unknown) => problemOf(() => filter.create(options)) })),
  balances: BALANCES,
  gateProblem: (text, declared) => {
    const gate = readGate(text, declared);
    return typeof gate === 'string' ? gate : null;
  },
};

/** A filter that cannot be made says why in its error; the config tells it with its place in the file. */
function problemOf(create: () => unknown): string | null {
  try {
    create();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
