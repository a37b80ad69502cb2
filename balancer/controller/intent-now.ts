// What this host serves by at this moment.
import { glidedIntent } from '../intent/glide.ts';
import type { Intent } from '../intent/intent.ts';
import type { Edge } from './edge.ts';

/** The intent, with what is on its way where it is now. */
export function intentNow({ intent, options }: Pick<Edge, 'intent' | 'options'>): Intent {
  return glidedIntent(intent, options.clock.wallMs());
}
