// One watch: what happens from a version on, until the server ends it, something breaks, or it has been silent for too long.
import type { Clock, Random } from '../../health/clock.ts';
import type { ApiFailure, ApiServer } from './api.ts';
import { fieldOf, numberOf, textOf } from './read-json.ts';

/**
 * The server ends a watch after this and sends a bookmark two seconds before, so that each begins where the last one ended and never far behind.
 * So short, because silence is normal where nothing happens: whoever waits for the bookmark of each minute cannot tell a dead connection within one.
 */
export const WATCH_SECONDS = { from: 40, to: 50 };
/** A server that has not ended a watch so long after its time is not there any more. */
export const GRACE_MS = 7000;

export interface WatchHandlers {
  /** The server answers. */
  onOpen(): void;
  /** Also of a bookmark, which has no object. */
  onVersion(resourceVersion: string): void;
  onChange(object: unknown): void;
  onGone(object: unknown): void;
  /** Exactly once, the last call. */
  onEnd(end: WatchEnd): void;
}

export type WatchEnd =
  | { readonly kind: 'ended' }
  /** Nothing was heard of its end: the connection is dead, whatever the network says. */
  | { readonly kind: 'silent' }
  /** The version is not known any more: list. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly failure: ApiFailure };

/** Begins at once. Returns what ends it; `onEnd` is not called after that. */
export function watch(
  { api, path, resourceVersion }: { readonly api: ApiServer; readonly path: string; readonly resourceVersion: string },
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  handlers: WatchHandlers,
): () => void {
  const { from, to } = WATCH_SECONDS;
  const seconds = from + Math.floor(random() * (to - from + 1));
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${encodeURIComponent(resourceVersion)}`;
  let stop: (() => void) | null = null;
  let over = false;
  const end = (how: WatchEnd): void => {
    if (over) return;
    over = true;
    limit.cancel();
    stop?.();
    handlers.onEnd(how);
  };
  const limit = clock.after(seconds * 1000 + GRACE_MS, () => end({ kind: 'silent' }), true);
  stop = api.stream(`${path}${path.includes('?') ? '&' : '?'}${query}`, {
    onOpen: () => handlers.onOpen(),
    onLine: (event) => {
      const how = over ? null : take(event, handlers);
      if (how !== null) end(how);
    },
    onEnd: (failure) => {
      if (failure === null) end({ kind: 'ended' });
      else end(failure.status === 410 ? { kind: 'expired' } : { kind: 'failed', failure });
    },
  });
  return () => {
    over = true;
    limit.cancel();
    stop();
  };
}

/** How the event ends the watch; null: it does not. */
function take(event: unknown, handlers: WatchHandlers): WatchEnd | null {
  const object = fieldOf(event, 'object');
  switch (textOf(event, 'type')) {
    case 'ADDED':
    case 'MODIFIED':
      handlers.onChange(object);
      break;
    case 'DELETED':
      handlers.onGone(object);
      break;
    case 'BOOKMARK':
      break;
    case 'ERROR':
      return errorOf(object);
    default:
      // Of a later API; what it means is not known, its version may not be skipped.
      return { kind: 'expired' };
  }
  const version = textOf(object, 'metadata', 'resourceVersion');
  if (version !== '') handlers.onVersion(version);
  return null;
}

function errorOf(status: unknown): WatchEnd {
  const code = numberOf(status, 'code');
  if (code === 410) return { kind: 'expired' };
  return {
    kind: 'failed',
    failure: { ok: false, status: code, problem: textOf(status, 'message') || `status ${code}`, retryAfterMs: null },
  };
}
