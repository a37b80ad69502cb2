// The rollout of a service, as the command tells programs.
import assert from 'node:assert/strict';
import type { RolloutView } from '../../balancer/controller/api/views.ts';
import type { Appliance } from './appliance.ts';

export async function rolloutOf(appliance: Appliance, service = 'shop'): Promise<RolloutView> {
  const { stdout, stderr } = await appliance.weir('canary', 'status', service, '-o', 'json');
  assert.notEqual(stdout, '', stderr);
  const { items } = JSON.parse(stdout) as { readonly items: readonly RolloutView[] };
  assert.ok(items[0] !== undefined);
  return items[0];
}
