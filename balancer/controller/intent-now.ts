// What this host serves by at this moment.
import { glidedIntent } from '../intent/glide.ts';
import type { Intent } from '../intent/intent.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';

/** The intent, with what is on its way where it is now. */
export function intentNow(edge: Pick<Edge, 'intent' | 'fleet' | 'options'>): Intent {
  return glidedIntent(edge.intent, fleetWallMs(edge));
}
