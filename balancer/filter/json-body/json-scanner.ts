// A strict reader of JSON (RFC 8259) that takes it in pieces and keeps nothing of it but the name of a member that is not complete yet.

/** What is read, in the order of the text. */
export interface JsonHandler {
  /** A mapping or a list begins. */
  open(isMapping: boolean): void;
  close(): void;
  /** The name of the member whose value comes next, between its quotes and with its escapes. The piece is only valid during the call. */
  name(piece: Buffer, from: number, to: number): void;
  /** A text, a number, a truth value or null begins; its bytes follow. */
  scalar(): void;
  bytes(piece: Buffer, from: number, to: number): void;
  scalarEnd(): void;
}

/** Why a text cannot be read on. */
export type JsonTrouble = 'malformed' | 'deep';

export class JsonError extends Error {
  readonly trouble: JsonTrouble;

  constructor(trouble: JsonTrouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

export interface JsonBounds {
  readonly depth: number;
  /** Values may follow each other, as in lines of JSON. */
  readonly several: boolean;
}

/** Longer names of members are refused: they are kept until they are complete. */
const MOST_NAME_BYTES = 65_536;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAPPING = 0x7b;
const CLOSE_MAPPING = 0x7d;
const SPACE = 0x20;

/** What may come next. */
const Expect = {
  Value: 0,
  /** Behind the beginning of a list. */
  ValueOrEnd: 1,
  NameOrEnd: 2,
  Name: 3,
  Colon: 4,
  /** Behind a value. */
  After: 5,
  /** The whole text is there. */
  Nothing: 6,
  /** Within one of these. */
  Text: 7,
  NameText: 8,
  Number: 9,
  Word: 10,
} as const;
type Expect = (typeof Expect)[keyof typeof Expect];

/** Where in a number it is; the even ones are complete numbers. */
const Digits = { Zero: 0, Sign: 1, Whole: 2, Point: 3, Fraction: 4, Power: 5, PowerDigits: 6, PowerSign: 7 } as const;

const WORDS: Readonly<Record<number, string>> = { 0x74: 'true', 0x66: 'false', 0x6e: 'null' };
const ESCAPED = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)));
const UNICODE = 0x75;
const HEX_DIGITS = 4;

/** Bytes of a text that are what they are. */
const IS_PLAIN = new Uint8Array(256).map((_, byte) => (byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 0 : 1));

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number): boolean => isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
const isBlank = (byte: number): boolean => byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;

export class JsonScanner {
  readonly #handler: JsonHandler;
  readonly #bounds: JsonBounds;
  /** Of what is open: whether it is a mapping. */
  readonly #open: boolean[] = [];
  #expect: Expect = Expect.Value;
  /** Of an escape: 1 behind the backslash, 2 to 5 for the digits that are left. */
  #escape = 0;
  #digits: number = Digits.Zero;
  #word = '';
  #wordAt = 0;
  /** What there is of a name whose beginning came with a piece before. */
  #name: Buffer[] = [];
  #nameBytes = 0;
  #begun = false;

  constructor(handler: JsonHandler, bounds: JsonBounds) {
    this.#handler = handler;
    this.#bounds = bounds;
  }

  /** Throws a JsonError. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) at = this.#step(piece, at);
  }

  /** No more comes. Throws a JsonError where something is missing. Nothing at all is no text, and no trouble. */
  end(): void {
    if (this.#expect === Expect.Number && this.#open.length === 0) this.#endNumber();
    if (this.#begun && this.#expect !== Expect.Nothing) throw malformed('it ends before it is complete');
  }

  /** How far it was read. */
  #step(piece: Buffer, at: number): number {
    switch (this.#expect) {
      case Expect.Text:
        return this.#text(piece, at);
      case Expect.NameText:
        return this.#nameText(piece, at);
      case Expect.Number:
        return this.#number(piece, at);
      case Expect.Word:
        return this.#wordOf(piece, at);
      default: {
        const byte = piece[at] ?? 0;
        if (isBlank(byte)) return at + 1;
        return this.#sign(piece, at, byte);
      }
    }
  }

  #sign(piece: Buffer, at: number, byte: number): number {
    switch (this.#expect) {
      case Expect.Name:
      case Expect.NameOrEnd:
        if (byte === QUOTE) this.#expect = Expect.NameText;
        else if (byte === CLOSE_MAPPING && this.#expect === Expect.NameOrEnd) this.#close();
        else throw malformed('expected the name of a member');
        return at + 1;
      case Expect.Colon:
        if (byte !== COLON) throw malformed('expected a colon behind the name of a member');
        this.#expect = Expect.Value;
        return at + 1;
      case Expect.After:
        this.#after(byte);
        return at + 1;
      case Expect.ValueOrEnd:
        if (byte !== CLOSE_LIST) return this.#value(piece, at, byte);
        this.#close();
        return at + 1;
      case Expect.Nothing:
        if (!this.#bounds.several) throw malformed('something follows its end');
        return this.#value(piece, at, byte);
      default:
        return this.#value(piece, at, byte);
    }
  }

  #after(byte: number): void {
    const inMapping = this.#open.at(-1) === true;
    if (byte === COMMA) this.#expect = inMapping ? Expect.Name : Expect.Value;
    else if (byte === (inMapping ? CLOSE_MAPPING : CLOSE_LIST)) this.#close();
    else throw malformed('expected a comma or the end behind a value');
  }

  #value(piece: Buffer, at: number, byte: number): number {
    this.#begun = true;
    if (byte === OPEN_MAPPING || byte === OPEN_LIST) {
      const isMapping = byte === OPEN_MAPPING;
      if (this.#open.length >= this.#bounds.depth)
        throw new JsonError('deep', `something stands in more than ${this.#bounds.depth} others`);
      this.#open.push(isMapping);
      this.#expect = isMapping ? Expect.NameOrEnd : Expect.ValueOrEnd;
      this.#handler.open(isMapping);
      return at + 1;
    }
    if (byte === QUOTE) {
      this.#expect = Expect.Text;
      this.#handler.scalar();
      this.#handler.bytes(piece, at, at + 1);
      return at + 1;
    }
    const word = WORDS[byte];
    if (word !== undefined) [this.#expect, this.#word, this.#wordAt] = [Expect.Word, word, 0];
    else if (byte === 0x2d || isDigit(byte)) {
      this.#expect = Expect.Number;
      this.#digits = byte === 0x2d ? Digits.Sign : byte === 0x30 ? Digits.Zero : Digits.Whole;
    } else throw malformed('expected a value');
    this.#handler.scalar();
    if (word !== undefined) return at;
    this.#handler.bytes(piece, at, at + 1);
    return at + 1;
  }

  #close(): void {
    this.#open.pop();
    this.#handler.close();
    this.#valueEnd();
  }

  #valueEnd(): void {
    this.#expect = this.#open.length === 0 ? Expect.Nothing : Expect.After;
  }

  #text(piece: Buffer, from: number): number {
    const end = this.#textEnd(piece, from);
    this.#handler.bytes(piece, from, end < 0 ? piece.length : end + 1);
    if (end < 0) return piece.length;
    this.#handler.scalarEnd();
    this.#valueEnd();
    return end + 1;
  }

  #nameText(piece: Buffer, from: number): number {
    const end = this.#textEnd(piece, from);
    const last = end < 0 ? piece.length : end;
    if (this.#nameBytes + last - from > MOST_NAME_BYTES) throw malformed(`the name of a member has more than ${MOST_NAME_BYTES} bytes`);
    if (end < 0 || this.#nameBytes > 0) {
      this.#name.push(Buffer.from(piece.subarray(from, last)));
      this.#nameBytes += last - from;
    }
    if (end < 0) return last;
    if (this.#nameBytes === 0) this.#handler.name(piece, from, end);
    else {
      const held = Buffer.concat(this.#name);
      [this.#name, this.#nameBytes] = [[], 0];
      this.#handler.name(held, 0, held.length);
    }
    this.#expect = Expect.Colon;
    return end + 1;
  }

  /** Where the closing quote is; -1: not in this piece. */
  #textEnd(piece: Buffer, from: number): number {
    let at = from;
    while (this.#escape !== 0 && at < piece.length) this.#escaped(piece[at++] ?? 0);
    for (; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (IS_PLAIN[byte] === 1) continue;
      if (byte === QUOTE) return at;
      if (byte !== BACKSLASH) throw malformed('a control character stands in a text');
      this.#escape = 1;
      at += 1;
      while (this.#escape !== 0 && at < piece.length) this.#escaped(piece[at++] ?? 0);
      at -= 1;
    }
    return -1;
  }

  #escaped(byte: number): void {
    if (this.#escape === 1) {
      if (byte === UNICODE) this.#escape = 1 + HEX_DIGITS;
      else if (ESCAPED.has(byte)) this.#escape = 0;
      else throw malformed('a text has an escape that is none');
    } else if (isHex(byte)) this.#escape = this.#escape === 2 ? 0 : this.#escape - 1;
    else throw malformed('a text has an escape that is none');
  }

  #number(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && this.#digit(piece[at] ?? 0)) at += 1;
    this.#handler.bytes(piece, from, at);
    if (at < piece.length) this.#endNumber();
    return at;
  }

  #endNumber(): void {
    if (this.#digits % 2 !== 0) throw malformed('a number is not complete');
    this.#handler.scalarEnd();
    this.#valueEnd();
  }

  /** Whether the number goes on with it. */
  #digit(byte: number): boolean {
    const { Zero, Sign, Whole, Point, Fraction, Power, PowerDigits, PowerSign } = Digits;
    const at = this.#digits;
    const before = at;
    if (isDigit(byte)) {
      if (at === Sign) this.#digits = byte === 0x30 ? Zero : Whole;
      else if (at === Point) this.#digits = Fraction;
      else if (at === Power || at === PowerSign) this.#digits = PowerDigits;
      else if (at === Zero) throw malformed('a number begins with 0');
      return true;
    }
    if (byte === 0x2e && (at === Zero || at === Whole)) this.#digits = Point;
    else if ((byte === 0x65 || byte === 0x45) && (at === Zero || at === Whole || at === Fraction)) this.#digits = Power;
    else if ((byte === 0x2b || byte === 0x2d) && at === Power) this.#digits = PowerSign;
    return this.#digits !== before;
  }

  #wordOf(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length && this.#wordAt < this.#word.length) {
      if (piece[at] !== this.#word.charCodeAt(this.#wordAt)) throw malformed('expected a value');
      at += 1;
      this.#wordAt += 1;
    }
    this.#handler.bytes(piece, from, at);
    if (this.#wordAt === this.#word.length) {
      this.#handler.scalarEnd();
      this.#valueEnd();
    }
    return at;
  }
}

const malformed = (message: string): JsonError => new JsonError('malformed', message);
