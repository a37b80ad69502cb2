// What may stand between a chunk's size and its line end (RFC 9112 section 7.1.1). Nobody uses it, all skip it, and each skips it differently: so its grammar is held to.

const State = { Name: 0, Value: 1, Token: 2, Quoted: 3, Escaped: 4, Closed: 5 } as const;
type StateNumber = (typeof State)[keyof typeof State];

/** What a byte did to the extension. */
export const Step = { More: 0, End: 1, Malformed: 2 } as const;
type StepNumber = (typeof Step)[keyof typeof Step];

/** Extensions are dropped; this bounds how many bytes of one chunk they may waste. */
const MAX_BYTES = 1024;
const CR = 0x0d;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

const TOKEN_BYTES = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  TOKEN_BYTES[character.charCodeAt(0)] = 1;

/** Reads the extensions of one chunk, from behind the first semicolon to the CR. Without white space: it is for senders of another age. */
export class ChunkExtension {
  #state: StateNumber = State.Name;
  #length = 0;
  /** Of the name or the token that is being read. */
  #word = 0;

  step(byte: number): StepNumber {
    this.#length += 1;
    if (this.#length > MAX_BYTES) return Step.Malformed;
    switch (this.#state) {
      case State.Name:
      case State.Token:
        return this.#stepWord(byte);
      case State.Value:
        if (byte === QUOTE) return this.#go(State.Quoted);
        this.#word = 0;
        this.#state = State.Token;
        return this.#stepWord(byte);
      case State.Quoted:
        if (byte === QUOTE) return this.#go(State.Closed);
        if (byte === BACKSLASH) return this.#go(State.Escaped);
        return isQuotable(byte) ? Step.More : Step.Malformed;
      case State.Escaped:
        return isQuotable(byte) ? this.#go(State.Quoted) : Step.Malformed;
      case State.Closed:
        return this.#stepBehind(byte);
    }
  }

  #stepWord(byte: number): StepNumber {
    if (TOKEN_BYTES[byte] === 1) {
      this.#word += 1;
      return Step.More;
    }
    if (this.#word === 0) return Step.Malformed;
    if (byte === EQUALS && this.#state === State.Name) return this.#go(State.Value);
    return this.#stepBehind(byte);
  }

  #stepBehind(byte: number): StepNumber {
    if (byte === CR) return Step.End;
    return byte === SEMICOLON ? this.#go(State.Name) : Step.Malformed;
  }

  #go(state: StateNumber): StepNumber {
    this.#state = state;
    this.#word = 0;
    return Step.More;
  }
}

/** HTAB, SP, VCHAR and obs-text (RFC 9110 section 5.6.4). */
function isQuotable(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f) || byte === 0x09;
}
