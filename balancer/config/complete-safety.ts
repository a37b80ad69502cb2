// The safety rules of the file as the intent reads them.
import { MILLION } from './config.ts';
import { percentRatio } from './quantities.ts';
import type { SafetyConfig } from './safety-config.ts';
import type { SafetyFile } from './schema-safety.ts';

export function completeSafety({ requireExpiry, minActiveClusters, maxShift, maxCapacityOut, freeze }: SafetyFile): SafetyConfig {
  return {
    requireExpiry: [...new Set(requireExpiry)],
    minActiveClusters,
    maxShift: Math.round(percentRatio(maxShift) * MILLION),
    maxCapacityOut: percentRatio(maxCapacityOut),
    freeze,
  };
}
