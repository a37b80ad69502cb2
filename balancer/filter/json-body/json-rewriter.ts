// Changes JSON while it is read: what is dropped or masked never reaches what comes out, and nothing is kept but how far each way to an edit goes.
import type { Edit, Edits, SetEdit, Step } from './edits.ts';
import type { JsonHandler } from './json-scanner.ts';

interface Level<S> {
  readonly isMapping: boolean;
  /** Null: no edit leads here. */
  readonly step: Step<S> | null;
  /** Of the names that members get by being renamed, those that are out: of each one is let out. */
  readonly taken: Set<string>;
  /** Edits that have found their member. */
  readonly found: Set<Edit<S>>;
  isEmpty: boolean;
  /** Elements that have come. */
  index: number;
}

/** What becomes of the value that comes next: edits go on below, or none does, or nothing of it comes out. */
type Next<S> = Step<S> | 'as it is' | 'nothing';

const AS_IT_IS = 'as it is';
const NOTHING = 'nothing';
/** Of levels that no edit leads into: nothing is ever added. */
const NONE_TAKEN = new Set<string>();
const NONE_FOUND = new Set<never>();
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const LINE_END = 0x0a;
const [OPEN_MAPPING, CLOSE_MAPPING, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const END_OF_LIST = '-';
const BACKSLASH = 0x5c;

/** One text. */
export class JsonRewriter<S> implements JsonHandler {
  readonly #edits: Edits<S>;
  readonly #from: S;
  readonly #mask: string;
  /** Line by line: values may follow each other. */
  readonly #several: boolean;
  readonly #levels: Level<S>[] = [];
  /** Of the member whose name has come. */
  #next: Next<S> = AS_IT_IS;
  /** Levels that are open within a value of which nothing comes out; -1: what comes does come out. */
  #silent = -1;
  #out: Buffer = EMPTY;
  #length = 0;

  constructor(edits: Edits<S>, from: S, { mask, several }: { readonly mask: string; readonly several: boolean }) {
    this.#edits = edits;
    this.#from = from;
    this.#mask = mask;
    this.#several = several;
  }

  /** Makes room for what comes of so many bytes. */
  expect(bytes: number): void {
    if (this.#out.length - this.#length < bytes) this.#grow(bytes);
  }

  /** What has come out since it was asked last. */
  take(): Buffer {
    if (this.#length === 0) return EMPTY;
    const bytes = this.#out.subarray(0, this.#length);
    this.#out = EMPTY;
    this.#length = 0;
    return bytes;
  }

  open(isMapping: boolean): void {
    if (this.#silent >= 0) {
      this.#silent += 1;
      return;
    }
    const next = this.#enter();
    if (next === NOTHING) {
      this.#silent = 1;
      return;
    }
    const step = next === AS_IT_IS ? null : next;
    const taken = step !== null && (step.adds || step.renamed !== null) ? new Set<string>() : NONE_TAKEN;
    const found = step?.adds === true ? new Set<Edit<S>>() : NONE_FOUND;
    this.#levels.push({ isMapping, step, taken, found, isEmpty: true, index: 0 });
    this.#byte(isMapping ? OPEN_MAPPING : OPEN_LIST);
  }

  close(): void {
    if (this.#silent > 0) {
      this.#silent -= 1;
      if (this.#silent === 0) this.#leaveSilence();
      return;
    }
    const level = this.#levels.pop();
    if (level === undefined) return;
    if (level.step?.adds === true) this.#addMissing(level, level.step);
    this.#byte(level.isMapping ? CLOSE_MAPPING : CLOSE_LIST);
    this.#left();
  }

  name(piece: Buffer, from: number, to: number): void {
    if (this.#silent >= 0) return;
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    const { step } = level;
    if (step !== null && mayBeNamed(step, piece, from, to)) return this.#named(level, step, { piece, from, to });
    this.#separate(level);
    this.#raw(piece, from, to);
    this.#next = step === null ? AS_IT_IS : onward(this.#edits.other(step));
  }

  scalar(): void {
    if (this.#silent < 0 && this.#enter() === NOTHING) this.#silent = 0;
  }

  bytes(piece: Buffer, from: number, to: number): void {
    if (this.#silent >= 0) return;
    const length = to - from;
    if (this.#out.length - this.#length < length) this.#grow(length);
    if (length > CALL_PAYS) piece.copy(this.#out, this.#length, from, to);
    else for (let at = 0; at < length; at += 1) this.#out[this.#length + at] = piece[from + at] ?? 0;
    this.#length += length;
  }

  scalarEnd(): void {
    if (this.#silent === 0) this.#leaveSilence();
    else if (this.#silent < 0) this.#left();
  }

  /** By both names, if it gets another one: what is masked under either does not come out. */
  #named(level: Level<S>, from: Step<S>, raw: RawName): void {
    const name = nameOf(raw);
    let step = this.#edits.member(from, name);
    const rename = step.here.find((edit) => edit.kind === 'rename');
    const to = rename?.kind === 'rename' ? rename.to : null;
    if (to !== null) step = this.#edits.both(step, this.#edits.member(from, to));
    const final = from.renamed === null ? '' : this.#edits.fold(to ?? name);
    const isOneOf = from.renamed?.has(final) === true;
    if ((isOneOf && level.taken.has(final)) || step.here.some(({ kind }) => kind === 'remove')) {
      this.#next = NOTHING;
      return;
    }
    if (isOneOf) level.taken.add(final);
    if (from.adds) for (const edit of step.here) if (edit.kind === 'set') level.found.add(edit);
    this.#separate(level);
    if (to === null) this.#raw(raw.piece, raw.from, raw.to);
    else this.#member(to);
    this.#next = this.#replaced(step);
  }

  /** A value begins: what becomes of it. */
  #enter(): Next<S> {
    const level = this.#levels.at(-1);
    if (level === undefined) return this.#replaced(this.#edits.root);
    if (level.isMapping) return this.#next;
    const { step: from } = level;
    if (from === null) {
      this.#separate(level);
      return AS_IT_IS;
    }
    const step = this.#edits.element(from, level.index);
    level.index += 1;
    if (step.here.length > 0 && step.here.some(({ kind }) => kind === 'remove')) return NOTHING;
    this.#separate(level);
    return this.#replaced(step);
  }

  /** What stands in place of the value comes out here. */
  #replaced(step: Step<S>): Next<S> {
    const { here } = step;
    if (here.length === 0) return onward(step);
    if (here.some(({ kind }) => kind === 'mask')) {
      this.#textOut(this.#mask);
      return NOTHING;
    }
    const set = here.find((edit): edit is SetEdit<S> => edit.kind === 'set' && edit.when !== 'absent');
    if (set === undefined) return onward(step);
    this.#textOut(set.valueFor(this.#from));
    return NOTHING;
  }

  /** Members that are to be set and have not come. */
  #addMissing(level: Level<S>, { ways }: Step<S>): void {
    for (const { edit, next } of ways) {
      const token = edit.at[next];
      if (edit.kind !== 'set' || edit.when === 'present' || next !== edit.at.length - 1) continue;
      if (token?.kind !== 'name' || level.found.has(edit)) continue;
      if (!level.isMapping && token.name !== END_OF_LIST) continue;
      if (level.isMapping && this.#isTaken(level, token.name, edit)) continue;
      this.#separate(level);
      if (level.isMapping) this.#member(token.name);
      this.#textOut(edit.valueFor(this.#from));
    }
  }

  /** Of two edits for one member the first one holds. */
  #isTaken(level: Level<S>, name: string, edit: Edit<S>): boolean {
    const sought = this.#edits.fold(name);
    if (level.taken.has(sought)) return true;
    level.taken.add(sought);
    level.found.add(edit);
    return false;
  }

  #leaveSilence(): void {
    this.#silent = -1;
    this.#left();
  }

  /** A value is over. */
  #left(): void {
    if (this.#several && this.#levels.length === 0) this.#byte(LINE_END);
  }

  #separate(level: Level<S>): void {
    if (!level.isEmpty) this.#byte(COMMA);
    level.isEmpty = false;
  }

  #raw(piece: Buffer, from: number, to: number): void {
    this.#byte(QUOTE);
    this.bytes(piece, from, to);
    this.#byte(QUOTE);
    this.#byte(COLON);
  }

  #member(name: string): void {
    this.#textOut(JSON.stringify(name));
    this.#byte(COLON);
  }

  #textOut(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.expect(bytes);
    this.#length += this.#out.write(text, this.#length);
  }

  #byte(byte: number): void {
    if (this.#length === this.#out.length) this.#grow(1);
    this.#out[this.#length] = byte;
    this.#length += 1;
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#out.length * 2, SMALLEST));
    if (this.#length > 0) this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }
}

const EMPTY = Buffer.alloc(0);
const SMALLEST = 256;
/** Bytes beyond which a call to copy them is cheaper than a loop. */
const CALL_PAYS = 40;

interface RawName {
  readonly piece: Buffer;
  readonly from: number;
  readonly to: number;
}

function nameOf({ piece, from, to }: RawName): string {
  const text = piece.toString('utf8', from, to);
  if (!text.includes('\\')) return text;
  const name: unknown = JSON.parse(`"${text}"`);
  return String(name);
}

/** Whether an edit may be about it: by its length, which says enough for most. */
function mayBeNamed<S>({ lengths, anyHere }: Step<S>, piece: Buffer, from: number, to: number): boolean {
  if (anyHere || lengths === null || lengths.has(to - from)) return true;
  for (let at = from; at < to; at += 1) if (piece[at] === BACKSLASH) return true;
  return false;
}

const onward = <S>(step: Step<S>): Next<S> => (step.ways.length === 0 ? AS_IT_IS : step);
