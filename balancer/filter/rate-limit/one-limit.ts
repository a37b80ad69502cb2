// A limit as a filter of one route uses it: who is exempt, and how often it was used up.
import type { LimitConfig } from '../../config/limit-config.ts';
import { AddressTable } from '../../message/address-table.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { Counter } from '../../telemetry/meter.ts';
import type { FilterEnvironment } from '../filter.ts';

export interface OneLimit {
  readonly config: LimitConfig;
  /** Null: no address is exempt. */
  readonly exempt: AddressTable | null;
  readonly refused: Counter;
  readonly unknown: Counter;
}

export function oneLimit(config: LimitConfig, { meter }: Pick<FilterEnvironment, 'meter'>): OneLimit {
  const { exemptAddresses, name } = config;
  return {
    config,
    exempt: exemptAddresses.length === 0 ? null : new AddressTable(Object.fromEntries(exemptAddresses.map((block) => [block, '']))),
    refused: meter.counter('weir_rate_limited_total', [name, config.shadow ? 'shadow' : 'refused']),
    unknown: meter.counter('weir_rate_limited_total', [name, 'unknown']),
  };
}

export function isExempt({ config, exempt }: OneLimit, { identity, clientAddress }: CanonicalRequest): boolean {
  if (exempt !== null && exempt.find(clientAddress) !== null) return true;
  return identity !== null && config.exemptConsumers.length > 0 && config.exemptConsumers.includes(identity.consumer);
}
