// The text of a config file → plain values, and the place in the text of each of them. One reading: values and places come from the same events.
import { parseEvents, YAMLException, type Event } from 'js-yaml';
import { itemPlaces, type ItemPlaces } from './item-places.ts';
import { PlainReader } from './plain-reader.ts';
import { PlaceTree } from './place-tree.ts';
import type { Position, ValuePath } from './problems.ts';
import { explainSyntax } from './syntax-problems.ts';

const MAX_DEPTH = 100;
/** YAML takes it for the end of a line, and many programs, editors among them, do not. */
const LONE_CR = 'a carriage return stands without a line feed; end lines with a line feed';

export interface TextProblem extends Position {
  readonly message: string;
}

export interface ConfigDocument {
  /** Null for an empty file. Copies, not references, where the text has aliases. */
  readonly value: unknown;
  /** What makes the text no YAML 1.2 document of plain values; when there is any, `value` means nothing. */
  readonly problems: readonly TextProblem[];
  /** Where the value stands, or its key; for a path that is not in the text, the deepest part that is. */
  locate(path: ValuePath, atKey: boolean): Position;
  itemPlaces(): ItemPlaces | null;
}

export function readDocument(text: string): ConfigDocument {
  const lines = new LineStarts(text);
  const lone = text.search(/\r(?!\n)/);
  if (lone >= 0) return refused([{ ...lines.position(lone), message: LONE_CR }], lines);
  let events: readonly Event[];
  try {
    events = parseEvents(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    return refused(syntaxProblems(text, error, lines), lines);
  }
  const problems: TextProblem[] = [];
  const reader = new PlainReader(text, events, MAX_DEPTH, (offset, message) => problems.push({ ...lines.position(offset), message }));
  const value = reader.read();
  let places: PlaceTree | null = null;
  return {
    value,
    problems,
    locate: (path, atKey) => lines.position((places ??= new PlaceTree(text, events, reader.aliases)).offsetOf(path, atKey)),
    itemPlaces: () => itemPlaces(text, events),
  };
}

function refused(problems: readonly TextProblem[], lines: LineStarts): ConfigDocument {
  return { value: null, problems, locate: () => lines.position(0), itemPlaces: () => null };
}

function syntaxProblems(text: string, error: unknown, lines: LineStarts): readonly TextProblem[] {
  const explained = explainSyntax(text).map(({ offset, message }) => ({ ...lines.position(offset), message }));
  if (explained.length > 0) return explained;
  const offset = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
  const message = error instanceof YAMLException ? error.reason : String(error);
  return [{ ...lines.position(offset), message }];
}

/** Made when the first place is asked for: a file without problems never needs it. */
class LineStarts {
  readonly #text: string;
  #starts: readonly number[] | null = null;

  constructor(text: string) {
    this.#text = text;
  }

  /** From 1. */
  position(offset: number): Position {
    const starts = (this.#starts ??= this.#find());
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  #find(): readonly number[] {
    const starts = [0];
    for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n', at + 1)) starts.push(at + 1);
    return starts;
  }
}
