// All objects of a kind, page by page, so that neither end holds more of them than a page.
import type { ApiFailure, ApiServer } from './api.ts';
import { listOf, textOf } from './read-json.ts';

/** Of pods as they are in practice a page is half a megabyte of text: what is read at once is what the agent's memory grows by, and does not give back. */
const PAGE = 50;

export type Listed = { readonly ok: true; readonly resourceVersion: string } | ApiFailure;

/**
 * Without a resource version, so that it is what holds now and not what a server had kept: one agent lists rarely. A page whose continuation is too
 * old (410) fails the whole: half of one state and half of another is none.
 */
export async function listAll(api: ApiServer, path: string, onItem: (item: unknown) => void): Promise<Listed> {
  const separator = path.includes('?') ? '&' : '?';
  let next = '';
  for (;;) {
    const continued = next === '' ? '' : `&continue=${encodeURIComponent(next)}`;
    const page = await api.get(`${path}${separator}limit=${PAGE}${continued}`);
    if (!page.ok) return page;
    for (const item of listOf(page.value, 'items')) onItem(item);
    next = textOf(page.value, 'metadata', 'continue');
    // Of all pages the same: that of the first.
    if (next === '') return { ok: true, resourceVersion: textOf(page.value, 'metadata', 'resourceVersion') };
  }
}
