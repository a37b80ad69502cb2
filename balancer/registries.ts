// What the config is handed: every filter and balancing policy there is, as extensions of the file.
import type { ConfigExtensions } from './config/extension.ts';
import { FILTERS } from './filter/registry.ts';
import { readGate } from './rollout/gates/registry.ts';
import { BALANCES } from './upstream/policies/registry.ts';

export const EXTENSIONS: ConfigExtensions = {
  filters: FILTERS,
  balances: BALANCES,
  gateProblem: (text, declared) => {
    const gate = readGate(text, declared);
    return typeof gate === 'string' ? gate : null;
  },
};
