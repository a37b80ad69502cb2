// What applying a config came to, or would come to, in words. Pure.
import type { ConfigApplyResult } from '../balancer/controller/api/views.ts';
import { needsText } from './change.ts';
import { plain } from './table.ts';

/** A line for each thing that changes, and one for the whole. */
export function configOutcome(result: ConfigApplyResult): string {
  const restart = result.needsRestart.map((what) => `needs a restart: ${what}`);
  const lines = [...result.differences, ...restart].map(plain);
  if (!result.changed) lines.push(`nothing to change; still generation ${result.generation}`);
  else if (result.dryRun)
    lines.push(`dry run: nothing was changed, still generation ${result.generation}`, ...needsText(result.needsApproval));
  else lines.push(`generation ${result.generation}, revision ${result.revision}${servedText(result)}`);
  return `${lines.join('\n')}\n`;
}

function servedText({ fleet }: ConfigApplyResult): string {
  if (fleet === null) return '';
  const late = fleet.laggards.length === 0 ? '' : `; not yet by ${fleet.laggards.join(', ')}`;
  return `: served by ${fleet.acknowledged}/${fleet.hosts} hosts${late}`;
}
