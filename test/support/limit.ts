// Limits of requests as a config declares them.
import type { LimitConfig } from '../../balancer/config/limit-config.ts';
import type { FleetLimit } from '../../balancer/controller/fleet/fleet-limits.ts';

/** What a test says nothing of: 1,000 in a day, a window that does not end meanwhile, of the host. */
export function aLimit(parts: Partial<LimitConfig> = {}): LimitConfig {
  const { limit = 1000 } = parts;
  return {
    ...{ name: 'all', by: [], algorithm: 'fixed', limit, windowMs: 86_400_000, burst: limit, onUnavailable: 'local', fleet: null },
    ...{ calendar: null, ofPlans: {}, plan: '' },
    ...{ shadow: false, exemptConsumers: [], exemptAddresses: [], headers: 'none' },
    ...parts,
  };
}

export function aFleetLimit(fleet: Partial<FleetLimit['fleet']> = {}, parts: Partial<LimitConfig> = {}): FleetLimit {
  return { ...aLimit(parts), fleet: { mode: 'exact', onStoreError: 'deny', ...fleet } };
}
