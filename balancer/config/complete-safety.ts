// The safety rules of the file as the intent reads them.
import type { Completion } from './completion.ts';
import { MILLION } from './config.ts';
import { nearest } from './nearest.ts';
import { durationMs, percentRatio } from './quantities.ts';
import type { ApprovalConfig, SafetyConfig } from './safety-config.ts';
import type { SafetyFile } from './schema-safety.ts';

export function completeSafety(file: SafetyFile, completion: Completion): SafetyConfig {
  const { requireExpiry, minActiveClusters, maxShift, maxCapacityOut, freeze } = file;
  return {
    requireExpiry: [...new Set(requireExpiry)],
    minActiveClusters,
    maxShift: Math.round(percentRatio(maxShift) * MILLION),
    maxCapacityOut: percentRatio(maxCapacityOut),
    freeze,
    approval: completeApproval(file.approval, completion),
  };
}

function completeApproval({ services, wait }: SafetyFile['approval'], completion: Completion): ApprovalConfig {
  const declared = [...completion.declared.services];
  for (const [index, service] of services.entries()) {
    if (completion.declared.services.has(service)) continue;
    const meant = nearest(service, declared);
    const hint = meant === null ? `expected one of ${declared.join(', ')}` : `did you mean "${meant}"?`;
    completion.report(['safety', 'approval', 'services', index], `there is no service "${service}"; ${hint}`);
  }
  return { services: [...new Set(services)], waitMs: durationMs(wait) };
}
