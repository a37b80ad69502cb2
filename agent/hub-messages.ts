// The border of the agent: text of a hub → what it says, or nothing. A hub is trusted with wishes, not with memory or types.
import { decodeHello, decodeWishes, type HubHello, type HubWishes } from './dialogue.ts';
import { AGENT_PROTOCOLS, type HubReply, MOST_SERVICES, type ObservedService } from './protocol.ts';

export type HubMessage = HubHello | HubWishes | { readonly kind: 'reply'; readonly reply: HubReply };

/** Null for what is none of these: a newer hub may say more. */
export function decodeHubMessage(text: string): HubMessage | null {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return null;
  if ('kind' in value) return decodeHello(value) ?? decodeWishes(value);
  const reply = replyOf(value);
  return reply === null ? null : { kind: 'reply', reply };
}

/** Null for what is not a reply. */
export function decodeReply(text: string): HubReply | null {
  const message = decodeHubMessage(text);
  return message?.kind === 'reply' ? message.reply : null;
}

function replyOf(value: object): HubReply | null {
  if (!('protocol' in value && 'sequence' in value && 'accepted' in value && 'reason' in value)) return null;
  const { sequence, accepted, reason } = value;
  const protocol = AGENT_PROTOCOLS.find((known) => known === value.protocol);
  if (protocol === undefined || typeof accepted !== 'boolean' || typeof reason !== 'string' || reason.length > 200) return null;
  if (sequence !== null && typeof sequence !== 'number') return null;
  const observed = 'observed' in value ? observedOf(value.observed) : null;
  return { protocol, sequence, accepted, reason, ...(observed === null ? {} : { observed }) };
}

/** Null: it says nothing of it that can be used. */
function observedOf(value: unknown): Readonly<Record<string, ObservedService>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  if (entries.length > MOST_SERVICES) return null;
  const observed: [string, ObservedService][] = [];
  for (const [service, figures] of entries as readonly [string, unknown][]) {
    if (typeof figures !== 'object' || figures === null || !('requestsPerSecond' in figures && 'p95Ms' in figures)) return null;
    const { requestsPerSecond, p95Ms } = figures;
    if (!isFigure(requestsPerSecond) || (p95Ms !== null && !isFigure(p95Ms))) return null;
    observed.push([service, { requestsPerSecond, p95Ms }]);
  }
  // From entries, so that a service named as a member of every object is one like any other.
  return Object.fromEntries(observed);
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1e9;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
