// Reads a config text again of which some stretch changed: routes that stand in it as before are not read a second time, however many they are.
import { readDocument } from './document.ts';
import type { ItemPlaces } from './item-places.ts';

export interface ReadText {
  readonly text: string;
  readonly places: ItemPlaces;
}

export interface Reread {
  /** The file with those routes alone that were read. */
  readonly value: object;
  /** So many of the routes before stand ahead of them, as they were, and so many behind them. */
  readonly ahead: number;
  readonly behind: number;
  /** All but the routes is as it was. */
  readonly isRestSame: boolean;
  readonly now: ReadText;
}

/** Below it, reading all is as quick. */
const WORTHWHILE = 64;

/**
 * Why leaving lines out changes nothing of what is read: between two items of a list in block style a reader of YAML knows nothing but how far the list is
 * indented, where nothing refers to anything elsewhere. Whole items are left out, and of those that did not change the one next to the change is read
 * too, so that a line that goes on with it, or takes it in, shows.
 *
 * @returns Null: read all of it. Also where the text has a problem, which is to be told in its place.
 */
export function reread(before: ReadText, text: string): Reread | null {
  const kept = keptItems(before, text);
  if (kept.ahead + kept.behind < WORTHWHILE) return null;
  const { starts, end } = before.places;
  const [first = 0] = starts;
  const shift = text.length - before.text.length;
  const resumeAt = starts[kept.ahead] ?? end;
  const stopAt = (starts[starts.length - kept.behind] ?? end) + shift;
  const aheadOf = text.slice(0, kept.ahead > 0 ? first : 0);
  const read = text.slice(kept.ahead > 0 ? resumeAt : 0, kept.behind > 0 ? stopAt : text.length);
  const partial = `${aheadOf}${read}${kept.behind > 0 ? text.slice(end + shift) : ''}`;
  const document = readDocument(partial);
  const places = document.problems.length > 0 ? null : document.itemPlaces();
  if (places === null || typeof document.value !== 'object' || document.value === null) return null;
  // The list is the same list: it begins and ends where it did.
  if (kept.ahead > 0 && places.starts[0] !== first) return null;
  if (kept.behind > 0 && places.end !== aheadOf.length + read.length) return null;
  const leftOut = kept.ahead > 0 ? resumeAt - first : 0;
  const whole: ItemPlaces = {
    starts: [
      ...starts.slice(0, kept.ahead),
      ...places.starts.map((start) => start + leftOut),
      ...starts.slice(starts.length - kept.behind).map((start) => start + shift),
    ],
    end: kept.behind > 0 ? end + shift : places.end + leftOut,
  };
  return { value: document.value, ...kept, now: { text, places: whole } };
}

function keptItems({ text: before, places }: ReadText, text: string): Pick<Reread, 'ahead' | 'behind' | 'isRestSame'> {
  const { starts, end } = places;
  const [first = 0] = starts;
  const same = sameAtStart(before, text);
  const sameEnd = sameAtEnd(before, text, same);
  const unchanged = before.length - end > sameEnd ? -1 : starts.findIndex((start) => before.length - start <= sameEnd);
  // The one next to the change is read again.
  const ahead = Math.max(0, starts.findLastIndex((start) => start <= same) - 1);
  const behind = unchanged < 0 ? 0 : starts.length - unchanged - 1;
  return {
    ahead,
    behind: Math.max(0, Math.min(behind, starts.length - ahead - 1)),
    isRestSame: text.startsWith(before.slice(0, first)) && text.endsWith(before.slice(end)),
  };
}

function sameAtStart(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let count = 0;
  while (count < most && one.charCodeAt(count) === other.charCodeAt(count)) count += 1;
  return count;
}

/** Of what is behind the same beginning. */
function sameAtEnd(one: string, other: string, from: number): number {
  const most = Math.min(one.length, other.length) - from;
  let count = 0;
  while (count < most && one.charCodeAt(one.length - 1 - count) === other.charCodeAt(other.length - 1 - count)) count += 1;
  return count;
}
