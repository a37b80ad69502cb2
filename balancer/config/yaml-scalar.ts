// Single values of a YAML text: what they say by the core schema (YAML 1.2.2 section 10.3), and where they begin.
import {
  boolCoreTag,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type Event,
  type ScalarEvent,
  type ScalarTagDefinition,
} from 'js-yaml';

/** What a plain scalar can be besides text, in the order of the schema. */
const CORE: readonly ScalarTagDefinition[] = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];
/** By the first character; most begin as nothing but text can. */
const BY_FIRST = Map.groupBy(
  CORE.flatMap((tag) => (tag.implicitFirstChars ?? []).map((first) => ({ first, tag }))),
  ({ first }) => first,
);
const BY_NAME: ReadonlyMap<string, ScalarTagDefinition> = new Map<string, ScalarTagDefinition>([
  ['!!null', nullCoreTag],
  ['!!bool', boolCoreTag],
  ['!!int', intCoreTag],
  ['!!float', floatCoreTag],
]);

/** A number as it is written may be too large for one; it is no text all the same. */
const BEYOND_NUMBERS = /^[-+]?[0-9.]+(e\+?[0-9]+)?$/i;

/** The value of a scalar without quotes and without a tag. */
export function plainValue(text: string): unknown {
  const candidates = BY_FIRST.get(text.charAt(0));
  if (candidates === undefined) return text;
  for (const { tag } of candidates) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return BEYOND_NUMBERS.test(text) && Math.abs(Number(text)) === Infinity ? Infinity : text;
}

/** The value of a scalar that says what it is. Undefined: it does not fit, or the tag is not of the core schema. */
export function taggedValue(name: string, text: string): unknown {
  if (name === '!' || name === '!!str') return text;
  const tag = BY_NAME.get(name);
  const value = tag?.resolve(text, true, tag.tagName);
  return value === NOT_RESOLVED ? undefined : value;
}

/** The key of the mapping that a scalar stands for: keys are words, so a number is one as JavaScript writes it. */
export function keyText(source: string, event: ScalarEvent): string {
  const text = getScalarValue(source, event);
  if (event.tagStart >= 0) return String(taggedValue(source.slice(event.tagStart, event.tagEnd), text));
  return event.style === SCALAR_STYLE.PLAIN ? String(plainValue(text)) : text;
}

/** Offset of the first character of what the event is for; undefined: it has none. */
export function startOf(source: string, event: Event | undefined): number | undefined {
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return scalarStart(source, event);
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    default:
      return undefined;
  }
}

function scalarStart(source: string, { valueStart, style }: ScalarEvent): number | undefined {
  if (valueStart < 0) return undefined;
  switch (style) {
    case SCALAR_STYLE.PLAIN:
      return valueStart;
    case SCALAR_STYLE.SINGLE_QUOTED:
    case SCALAR_STYLE.DOUBLE_QUOTED:
      return valueStart - 1;
    case SCALAR_STYLE.LITERAL_BLOCK:
      return source.lastIndexOf('|', valueStart);
    case SCALAR_STYLE.FOLDED_BLOCK:
      return source.lastIndexOf('>', valueStart);
  }
}
