// Where the items of a file's list of routes stand in its text, when that can be told without doubt.
import { COLLECTION_STYLE, EVENT_ID, type Event } from 'js-yaml';
import { keyText, startOf } from './yaml-scalar.ts';

export interface ItemPlaces {
  /** Offset of the line with which each item begins. */
  readonly starts: readonly number[];
  /** Offset of the line behind the last one. */
  readonly end: number;
}

/** The list that can be so long that reading all of it again for one change takes too long. */
const LIST = 'routes';

/**
 * Null: there is no list in block style at the beginnings of lines, or something in the text may refer to what stands elsewhere (anchors), so that no
 * part of it means by itself what it means there.
 */
export function itemPlaces(text: string, events: readonly Event[]): ItemPlaces | null {
  const [document, root] = events;
  if (document?.type !== EVENT_ID.DOCUMENT || document.explicitEnd || document.directives.length > 0) return null;
  if (root?.type !== EVENT_ID.MAPPING || root.style !== COLLECTION_STYLE.BLOCK || events.some(refers)) return null;
  const at = valueOf(LIST, text, events);
  const list = events[at];
  if (list?.type !== EVENT_ID.SEQUENCE || list.style !== COLLECTION_STYLE.BLOCK) return null;
  const items = itemsOf(events, at);
  const end = endOf(text, events[items.behind]);
  const starts = end === null ? [] : linesWithDash(text, list.start, end);
  // A line that begins like an item and is none (in a text in quotes, say) would make the two differ.
  const fits = starts.length === items.events.length && items.events.every((event, index) => isIn(startOf(text, event), starts, index));
  return end === null || !fits ? null : { starts, end };
}

const refers = (event: Event): boolean => 'anchorStart' in event && event.anchorStart >= 0;

function isIn(offset: number | undefined, starts: readonly number[], index: number): boolean {
  return offset === undefined || (offset >= (starts[index] ?? 0) && offset < (starts[index + 1] ?? Infinity));
}

/** Index of the event with which the value of this key of the root begins; -1: it is not there. */
function valueOf(name: string, text: string, events: readonly Event[]): number {
  for (let at = 2; at < events.length; at = behind(events, at + 1)) {
    const key = events[at];
    if (key?.type !== EVENT_ID.SCALAR) return -1;
    if (keyText(text, key) === name) return at + 1;
  }
  return -1;
}

/** Index of the event behind the value that begins at `at`. */
function behind(events: readonly Event[], at: number): number {
  let open = 0;
  let next = at;
  do {
    const type = events[next]?.type;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) open += 1;
    else if (type === EVENT_ID.POP) open -= 1;
    next += 1;
  } while (open > 0);
  return next;
}

function itemsOf(events: readonly Event[], list: number): { readonly events: readonly Event[]; readonly behind: number } {
  const items: Event[] = [];
  let at = list + 1;
  for (let event = events[at]; event !== undefined && event.type !== EVENT_ID.POP; event = events[at]) {
    items.push(event);
    at = behind(events, at);
  }
  return { events: items, behind: at + 1 };
}

/** The line of the next key of the root, or the end of the text. Null: the key does not begin its line. */
function endOf(text: string, next: Event | undefined): number | null {
  if (next?.type === EVENT_ID.POP) return text.length;
  const start = next?.type === EVENT_ID.SCALAR && next.tagStart < 0 ? startOf(text, next) : undefined;
  return start !== undefined && lineOf(text, start) === start ? start : null;
}

const lineOf = (text: string, offset: number): number => (offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1);

/** Lines of [start, end) with a dash where the first one has it. */
function linesWithDash(text: string, start: number, end: number): readonly number[] {
  const first = lineOf(text, start);
  const beginning = `${' '.repeat(start - first)}-`;
  const starts: number[] = [];
  for (let at = first; at < end;) {
    if (text.startsWith(beginning, at) && ' \r\n'.includes(text.charAt(at + beginning.length))) starts.push(at);
    const newline = text.indexOf('\n', at);
    if (newline < 0) break;
    at = newline + 1;
  }
  return starts;
}
