// A limit as a filter of one route uses it: who is exempt, and how often it was used up.
import { limitOfPlan, type LimitConfig } from '../../config/limit-config.ts';
import { AddressTable } from '../../message/address-table.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Counter } from '../../telemetry/meter.ts';
import type { FilterEnvironment } from '../filter.ts';

export interface OneLimit {
  readonly config: LimitConfig;
  /** By plan; null: it is the same for all. */
  readonly ofPlans: ReadonlyMap<string, LimitConfig> | null;
  /** Null: no address is exempt. */
  readonly exempt: AddressTable | null;
  readonly refused: Counter;
  readonly unknown: Counter;
}

export function oneLimit(config: LimitConfig, { meter }: Pick<FilterEnvironment, 'meter'>): OneLimit {
  const { exemptAddresses, name } = config;
  const plans = Object.keys(config.ofPlans);
  return {
    config,
    ofPlans: plans.length === 0 ? null : new Map(plans.map((plan) => [plan, limitOfPlan(config, plan)])),
    exempt: exemptAddresses.length === 0 ? null : new AddressTable(Object.fromEntries(exemptAddresses.map((block) => [block, '']))),
    refused: meter.counter('weir_rate_limited_total', [name, config.shadow ? 'shadow' : 'refused']),
    unknown: meter.counter('weir_rate_limited_total', [name, 'unknown']),
  };
}

export function isExempt({ config, exempt }: OneLimit, { identity, clientAddress }: CanonicalRequest): boolean {
  if (exempt !== null && exempt.find(clientAddress) !== null) return true;
  return identity !== null && config.exemptConsumers.length > 0 && config.exemptConsumers.includes(identity.consumer);
}

/** As it holds for the caller of a request. */
export function limitFor({ config, ofPlans }: OneLimit, { identity }: CanonicalRequest, consumers: PlansOfConsumers): LimitConfig {
  if (ofPlans === null || identity === null) return config;
  return ofPlans.get(consumers.planOf(identity.consumer)) ?? config;
}

export interface PlansOfConsumers {
  /** Empty: it has none. */
  planOf(name: string): string;
}
