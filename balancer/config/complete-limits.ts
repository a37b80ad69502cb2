// Limits of the file → limits of the config.
import type { Completion } from './completion.ts';
import type { LimitConfig } from './limit-config.ts';
import { readLimitKey } from './limit-key.ts';
import { durationMs } from './quantities.ts';
import type { LimitsFile } from './schema-limits.ts';

const LEAST_WINDOW_MS = 1000;
const MOST_WINDOW_MS = 86_400_000;

/** By name. */
export function completeLimits(files: LimitsFile, completion: Completion): Readonly<Record<string, LimitConfig>> {
  return Object.fromEntries(completion.usable('limits', files).map(([name, file]) => [name, completeLimit(name, file, completion)]));
}

function completeLimit(name: string, file: LimitsFile[string], completion: Completion): LimitConfig {
  const windowMs = durationMs(file.per);
  if (windowMs < LEAST_WINDOW_MS || windowMs > MOST_WINDOW_MS)
    completion.report(['limits', name, 'per'], `"${file.per}" is no window of a limit; expected 1s to 24h`);
  if (file.burst !== undefined && file.algorithm !== 'token')
    completion.report(['limits', name, 'burst'], 'is for algorithm: token; leave it out, or write algorithm: token');
  reportScope(name, file, completion);
  file.exempt.consumers.forEach((consumer, index) => {
    if (!completion.declared.consumers.has(consumer))
      completion.report(['limits', name, 'exempt', 'consumers', index], `consumer "${consumer}" is not declared under consumers`);
  });
  return {
    name,
    by: [...new Set(file.by)].map(readLimitKey).filter((part) => part !== null),
    algorithm: file.algorithm,
    limit: file.allow,
    windowMs,
    burst: file.burst ?? file.allow,
    onUnavailable: file.onUnavailable,
    fleet: file.scope === 'fleet' ? { mode: file.mode ?? 'lease', onStoreError: file.onStoreError ?? 'local' } : null,
    shadow: file.shadow,
    exemptConsumers: file.exempt.consumers,
    exemptAddresses: file.exempt.addresses,
    headers: file.headers,
  };
}

function reportScope(name: string, { scope, mode, onStoreError }: LimitsFile[string], completion: Completion): void {
  const path = ['limits', name] as const;
  if (scope === 'fleet') {
    if (!completion.declared.hasRedis)
      completion.report(
        [...path, 'scope'],
        'all hosts count together in Redis, and this host has none; name it under state.redis (see fleet.md), or write scope: host for a limit of each host',
      );
    return;
  }
  for (const [key, value] of Object.entries({ mode, onStoreError }))
    if (value !== undefined) completion.report([...path, key], `is for scope: fleet; leave it out, or write scope: fleet`);
}
