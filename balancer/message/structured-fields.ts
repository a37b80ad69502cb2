// Dictionaries of structured fields (RFC 9651), as far as signatures need them: inner lists of strings and byte sequences, with parameters.

/** A string, an integer, a truth value, or bytes. A dictionary that has a token or a decimal is not read. */
export type Bare = string | number | boolean | Buffer;

export type Parameters = ReadonlyMap<string, Bare>;

export interface Item {
  readonly value: Bare;
  readonly parameters: Parameters;
}

export interface Member {
  /** A list for an inner list. */
  readonly value: Bare | readonly Item[];
  readonly parameters: Parameters;
}

class Malformed extends Error {}

/** By key, in order; of a key that comes again the last value counts, at the place of the first (section 4.2). Null: malformed, or it has what is not read here. */
export function parseDictionary(text: string): ReadonlyMap<string, Member> | null {
  try {
    return new Reader(text).dictionary();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const INTEGER = /-?[0-9]{1,15}(?![0-9.])/y;
const BOOLEAN = /\?([01])/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;
const SPACES = / */y;
const BLANKS = /[ \t]*/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.trim();
  }

  dictionary(): ReadonlyMap<string, Member> {
    const members = new Map<string, Member>();
    while (this.#at < this.#text.length) {
      const key = this.#need(KEY);
      members.set(key, this.#skips('=') ? this.#member() : { value: true, parameters: this.#parameters() });
      this.#take(BLANKS);
      if (this.#at === this.#text.length) break;
      if (!this.#skips(',')) throw new Malformed();
      this.#take(BLANKS);
      if (this.#at === this.#text.length) throw new Malformed();
    }
    return members;
  }

  #member(): Member {
    if (!this.#skips('(')) return this.#item();
    const items: Item[] = [];
    for (;;) {
      const spaced = this.#take(SPACES) !== '';
      if (this.#skips(')')) return { value: items, parameters: this.#parameters() };
      if (items.length > 0 && !spaced) throw new Malformed();
      items.push(this.#item());
    }
  }

  #item(): Item {
    return { value: this.#bare(), parameters: this.#parameters() };
  }

  #parameters(): Parameters {
    const parameters = new Map<string, Bare>();
    while (this.#skips(';')) {
      this.#take(SPACES);
      const key = this.#need(KEY);
      parameters.set(key, this.#skips('=') ? this.#bare() : true);
    }
    return parameters;
  }

  #bare(): Bare {
    const string = this.#match(STRING);
    if (string !== null) return (string[1] ?? '').replace(/\\(["\\])/g, '$1');
    const bytes = this.#match(BYTES);
    if (bytes !== null) return Buffer.from(bytes[1] ?? '', 'base64');
    const boolean = this.#match(BOOLEAN);
    if (boolean !== null) return boolean[1] === '1';
    return Number(this.#need(INTEGER));
  }

  #skips(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string {
    return this.#match(pattern)?.[0] ?? '';
  }

  #need(pattern: RegExp): string {
    const found = this.#match(pattern);
    if (found === null) throw new Malformed();
    return found[0];
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }
}

/** As section 4.1 writes it. */
export function serializeMember({ value, parameters }: Member): string {
  const text = Array.isArray(value) ? `(${(value as readonly Item[]).map(serializeItem).join(' ')})` : serializeBare(value as Bare);
  return text + serializeParameters(parameters);
}

export function serializeItem({ value, parameters }: Item): string {
  return serializeBare(value) + serializeParameters(parameters);
}

function serializeParameters(parameters: Parameters): string {
  let text = '';
  for (const [key, value] of parameters) text += value === true ? `;${key}` : `;${key}=${serializeBare(value)}`;
  return text;
}

function serializeBare(value: Bare): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number') return `${value}`;
  if (typeof value === 'boolean') return value ? '?1' : '?0';
  return `:${value.toString('base64')}:`;
}
