// The text of a config file → plain values, and the place in the text of each of them.
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { Position, ValuePath } from './problems.ts';

/** A small file that names itself over and over can stand for gigabytes; no honest file copies this many values by alias. */
const MAX_ALIASED_VALUES = 100_000;
const MAX_DEPTH = 100;

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
}

export function readDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', uniqueKeys: true, merge: false });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: TextProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    ...position(error.pos[0]),
    message: explain(error.code, error.message),
  }));
  const reader = new PlainReader(document, (node, message) => problems.push({ ...position(node?.range?.[0] ?? 0), message }));
  const value = problems.length === 0 ? reader.read(document.contents, 0, false) : null;
  return { value, problems, locate: (path, atKey) => position(offsetOf(document, path, atKey)) };
}

function explain(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is already given above; keep one of them';
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a config file is one document';
  if (code === 'TAG_RESOLVE_FAILED') return `${message}; a config file holds plain values only, leave the tag out`;
  return message;
}

type Report = (node: Node | null, message: string) => void;

/** Follows aliases itself, so that their number and depth are bounded and every copy is its own object. */
class PlainReader {
  readonly #document: Document;
  readonly #report: Report;
  #aliasedValues = 0;
  #stopped = false;

  constructor(document: Document, report: Report) {
    this.#document = document;
    this.#report = report;
  }

  read(node: unknown, depth: number, aliased: boolean): unknown {
    if (this.#stopped) return null;
    if (aliased) this.#aliasedValues += 1;
    const where = isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? node : null;
    if (depth > MAX_DEPTH || this.#aliasedValues > MAX_ALIASED_VALUES) {
      this.#stopped = true;
      const what =
        depth > MAX_DEPTH ? `values nested deeper than ${MAX_DEPTH}` : `aliases that copy more than ${MAX_ALIASED_VALUES} values`;
      this.#report(where, `${what}; write the values out, or name the anchor less often`);
      return null;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined)
        this.#report(node, `*${node.source} names no anchor above it; write &${node.source} before the value it stands for`);
      return target === undefined ? null : this.read(target, depth + 1, true);
    }
    if (isMap(node)) return this.#mapping(node.items, depth, aliased);
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1, aliased));
    return isScalar(node) ? this.#scalar(node) : null;
  }

  #mapping(items: readonly unknown[], depth: number, aliased: boolean): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const item of items) {
      if (!isPair(item)) continue;
      const key = keyText(item.key);
      if (key === null || key === '__proto__') {
        const where = isMap(item.key) || isSeq(item.key) || isScalar(item.key) || isAlias(item.key) ? item.key : null;
        this.#report(where, key === null ? 'a key is a plain word; a list or mapping cannot be one' : '"__proto__" cannot be a key');
        continue;
      }
      result[key] = this.read(item.value, depth + 1, aliased);
    }
    return result;
  }

  #scalar(node: Node & { value: unknown }): unknown {
    const value = node.value;
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#report(node, 'not a plain value; expected text, a finite number, true or false');
    return null;
  }
}

function keyText(key: unknown): string | null {
  const value: unknown = isScalar(key) ? key.value : key;
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function offsetOf(document: Document, path: ValuePath, atKey: boolean): number {
  let value: unknown = document.contents;
  let key: unknown = null;
  for (const part of path) {
    const holder: unknown = isAlias(value) ? value.resolve(document) : value;
    if (isMap(holder)) {
      const pair = holder.items.find((item) => keyText(item.key) === part);
      if (pair === undefined) return startOf(key) ?? startOf(value) ?? 0;
      key = pair.key;
      value = pair.value;
    } else if (isSeq(holder) && typeof part === 'number' && part < holder.items.length) {
      key = null;
      value = holder.items[part];
    } else break;
  }
  return (atKey ? startOf(key) : undefined) ?? startOf(value) ?? startOf(key) ?? 0;
}

function startOf(node: unknown): number | undefined {
  return isAlias(node) || isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
}
