// The code of an event of the fleet, which the parts of the fleet tell in words alone.
import type { EventCode } from '../../event-codes.ts';

export function fleetCode(text: string): EventCode {
  if (text.startsWith('ALERT')) return 'fleet.alert';
  return text.startsWith('the fleet cannot be reached') ? 'fleet.away' : 'fleet.news';
}
