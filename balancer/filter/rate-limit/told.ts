// What an answer tells of a limit.
import type { LimitConfig } from '../../config/limit-config.ts';
import type { Fields } from '../../message/fields.ts';
import type { Decision } from './allowances.ts';

const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000));

/** Fields of the answer (draft-ietf-httpapi-ratelimit-headers); of several limits each adds its own to the lists of draft 11. */
export function tellLimit(fields: Fields, limit: LimitConfig, { remaining, resetMs }: Decision): void {
  if (limit.headers === 'none') return;
  // Older versions have no words for what has no window.
  if (limit.algorithm === 'concurrency') {
    if (limit.headers !== 'draft-11') return;
    fields.push('ratelimit-policy', `"${limit.name}";q=${limit.limit};qu="concurrent-requests"`);
    fields.push('ratelimit', `"${limit.name}";r=${remaining}`);
    return;
  }
  if (limit.headers === 'draft-11') {
    // Months are not all as long.
    const window = limit.calendar === 'month' ? '' : `;w=${seconds(limit.windowMs)}`;
    fields.push('ratelimit-policy', `"${limit.name}";q=${limit.limit}${window}`);
    fields.push('ratelimit', `"${limit.name}";r=${remaining};t=${seconds(resetMs)}`);
    return;
  }
  if (limit.headers === 'draft-7') {
    // Of several limits the first one speaks in this form.
    if (fields.includes('ratelimit')) return;
    fields.push('ratelimit-policy', `${limit.limit};w=${seconds(limit.windowMs)}`);
    fields.push('ratelimit', `limit=${limit.limit}, remaining=${remaining}, reset=${seconds(resetMs)}`);
    return;
  }
  fields.push('ratelimit-limit', `${limit.limit}`, 'ratelimit-remaining', `${remaining}`, 'ratelimit-reset', `${seconds(resetMs)}`);
}

/** Whole seconds, at least one: a client that comes sooner is refused again. */
export const retryAfter = (resetMs: number): string => `${Math.max(1, seconds(resetMs))}`;
