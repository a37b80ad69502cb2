// The events of a YAML text → plain values: text, finite numbers, true, false, null, lists, mappings with words as keys.
import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml';
import { DUPLICATE_KEY } from './syntax-problems.ts';
import { plainValue, startOf, taggedValue } from './yaml-scalar.ts';

/** A small file that names itself over and over can stand for gigabytes; no honest file copies this many values by alias. */
const MAX_ALIASED_VALUES = 100_000;
const DIRECTIVE = 'a directive other than %YAML 1.2 has no meaning in a config file; leave the line out';
const SECOND_DOCUMENT = 'a second document begins here; a config file is one document';

type Report = (offset: number, message: string) => void;

/** Follows aliases itself, so that their number and depth are bounded and every copy is its own object. */
export class PlainReader {
  /** Index of the event of an alias → index of the event of the value it stands for. */
  readonly aliases = new Map<number, number>();
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #maxDepth: number;
  readonly #report: Report;
  readonly #anchors = new Map<string, number>();
  #at = 0;
  #aliased = false;
  #aliasedValues = 0;
  #stopped = false;

  constructor(text: string, events: readonly Event[], maxDepth: number, report: Report) {
    this.#text = text;
    this.#events = events;
    this.#maxDepth = maxDepth;
    this.#report = report;
  }

  /** Null: the text is empty, or there is a problem. */
  read(): unknown {
    const [first] = this.#events;
    if (first?.type !== EVENT_ID.DOCUMENT) return null;
    this.#refuseDirectives();
    this.#at = 1;
    const value = this.#node(0);
    if (!this.#stopped && this.#at + 1 < this.#events.length) this.#report(this.#secondDocument(), SECOND_DOCUMENT);
    return value;
  }

  /** Lines before the content: an unknown directive changes nothing, and a config should not say what changes nothing. */
  #refuseDirectives(): void {
    const first = this.#events.find((event) => startOf(this.#text, event) !== undefined);
    const content = startOf(this.#text, first) ?? this.#text.length;
    for (const { index, 0: line } of this.#text.slice(0, content).matchAll(/^\uFEFF?%.*/gm))
      if (!/^\uFEFF?%YAML 1\.2\s*(#|$)/.test(line)) this.#report(index, DIRECTIVE);
  }

  /** The value of the event; behind it afterwards. */
  #node(depth: number): unknown {
    const index = this.#at;
    const event = this.#events[index];
    if (this.#stopped || event === undefined) return null;
    if (this.#aliased) this.#aliasedValues += 1;
    if (depth > this.#maxDepth || this.#aliasedValues > MAX_ALIASED_VALUES) return this.#stop(event, depth);
    this.#at += 1;
    switch (event.type) {
      case EVENT_ID.SCALAR:
        this.#anchor(event, index);
        return this.#scalar(event);
      case EVENT_ID.MAPPING:
        this.#anchor(event, index);
        this.#refuseTag(event, '!!map');
        return this.#mapping(depth);
      case EVENT_ID.SEQUENCE:
        this.#anchor(event, index);
        this.#refuseTag(event, '!!seq');
        return this.#sequence(depth);
      case EVENT_ID.ALIAS:
        return this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd), index, depth);
      default:
        return null;
    }
  }

  #stop(event: Event, depth: number): null {
    this.#stopped = true;
    const what =
      depth > this.#maxDepth ? `values nested deeper than ${this.#maxDepth}` : `aliases that copy more than ${MAX_ALIASED_VALUES} values`;
    this.#report(startOf(this.#text, event) ?? 0, `${what}; write the values out, or name the anchor less often`);
    return null;
  }

  /** What is read again for an alias has its anchors already: those that came since must not be hidden by it. */
  #anchor({ anchorStart, anchorEnd }: { readonly anchorStart: number; readonly anchorEnd: number }, index: number): void {
    if (anchorStart >= 0 && !this.#aliased) this.#anchors.set(this.#text.slice(anchorStart, anchorEnd), index);
  }

  #alias(name: string, index: number, depth: number): unknown {
    const target = this.aliases.get(index) ?? this.#anchors.get(name);
    if (target === undefined) {
      const at = startOf(this.#text, this.#events[index]) ?? 0;
      this.#report(at, `*${name} names no anchor above it; write &${name} before the value it stands for`);
      return null;
    }
    this.aliases.set(index, target);
    const [behind, aliased] = [this.#at, this.#aliased];
    this.#at = target;
    this.#aliased = true;
    const value = this.#node(depth + 1);
    this.#at = behind;
    this.#aliased = aliased;
    return value;
  }

  #sequence(depth: number): readonly unknown[] {
    const items: unknown[] = [];
    while (!this.#atEnd()) items.push(this.#node(depth + 1));
    this.#at += 1;
    return items;
  }

  #mapping(depth: number): Readonly<Record<string, unknown>> {
    const result: Record<string, unknown> = {};
    while (!this.#atEnd()) {
      const event = this.#events[this.#at];
      const key = event?.type === EVENT_ID.SCALAR ? String(this.#scalar(event)) : null;
      if (key === null || key === '__proto__') {
        const message = key === null ? 'a key is a plain word; a list or mapping cannot be one' : '"__proto__" cannot be a key';
        this.#report(startOf(this.#text, event) ?? 0, message);
        this.#skip();
        this.#skip();
        continue;
      }
      if (Object.hasOwn(result, key)) this.#report(startOf(this.#text, event) ?? 0, DUPLICATE_KEY);
      if (event?.type === EVENT_ID.SCALAR) this.#anchor(event, this.#at);
      this.#at += 1;
      result[key] = this.#node(depth + 1);
    }
    this.#at += 1;
    return result;
  }

  #atEnd(): boolean {
    const event = this.#events[this.#at];
    return this.#stopped || event === undefined || event.type === EVENT_ID.POP;
  }

  #skip(): void {
    let open = 0;
    do {
      const type = this.#events[this.#at]?.type;
      if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) open += 1;
      else if (type === EVENT_ID.POP) open -= 1;
      this.#at += 1;
    } while (open > 0);
  }

  #scalar(event: ScalarEvent): string | number | boolean | null {
    const text = getScalarValue(this.#text, event);
    if (event.tagStart < 0) return event.style === SCALAR_STYLE.PLAIN ? this.#finite(event, plainValue(text)) : text;
    const name = this.#text.slice(event.tagStart, event.tagEnd);
    const value = taggedValue(name, text);
    if (value !== undefined) return this.#finite(event, value);
    this.#report(event.tagStart, `${name}: a config file holds plain values only, leave the tag out`);
    return null;
  }

  #finite(event: ScalarEvent, value: unknown): string | number | boolean | null {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#report(startOf(this.#text, event) ?? 0, 'not a plain value; expected text, a finite number, true or false');
    return null;
  }

  #refuseTag({ tagStart, tagEnd }: { readonly tagStart: number; readonly tagEnd: number }, allowed: string): void {
    const name = tagStart < 0 ? allowed : this.#text.slice(tagStart, tagEnd);
    if (name !== allowed && name !== '!') this.#report(tagStart, `${name}: a config file holds plain values only, leave the tag out`);
  }

  /** Its marker, or its first value where that stands without one. */
  #secondDocument(): number {
    const content = this.#events.slice(this.#at + 1).map((event) => startOf(this.#text, event));
    const first = content.find((offset) => offset !== undefined) ?? this.#text.length;
    return Math.max(0, this.#text.lastIndexOf('\n---', first) + 1);
  }
}
