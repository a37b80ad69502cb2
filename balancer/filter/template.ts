// Texts with places for values, `${name}`: compiled when the config is loaded, so that a name nobody knows is an error there and not an answer.
import { nearest } from '../config/nearest.ts';

/** What stands at a place, by what the text is filled with. */
export type Value<S> = (from: S) => string;

/** The names that a text may use. */
export interface Vocabulary<S> {
  /** With `NAME` or `N` for what the writer chooses. For messages and pages. */
  readonly names: readonly string[];
  /** A text: why this name cannot be used, in words that teach; null: there is none like it. */
  find(name: string): Value<S> | string | null;
}

export type Template<S> =
  | {
      readonly ok: true;
      /** The text itself; null: it has places. */
      readonly fixed: string | null;
      fill(from: S): string;
    }
  | { readonly ok: false; readonly problem: string };

const PLACE = /\$?\$\{([^}]*)(\}?)/g;

/** `$${` stands for `${` itself. `written`: what is done to a value before it stands in the text. */
export function compileTemplate<S>(text: string, vocabulary: Vocabulary<S>, written: (value: string) => string = asItIs): Template<S> {
  const parts: (string | Value<S>)[] = [];
  let end = 0;
  for (const { 0: whole, 1: name = '', 2: closing, index } of text.matchAll(PLACE)) {
    parts.push(text.slice(end, index));
    end = index + whole.length;
    if (whole.startsWith('$$')) {
      parts.push(whole.slice(1));
      continue;
    }
    if (closing === '')
      return { ok: false, problem: `"${shortened(whole)}" is not closed; write \${NAME}, or $\${ for the characters themselves` };
    const value = vocabulary.find(name);
    if (value === null) return { ok: false, problem: unknownName(name, vocabulary.names) };
    if (typeof value === 'string') return { ok: false, problem: `"\${${name}}": ${value}` };
    parts.push(value);
  }
  parts.push(text.slice(end));
  const fixed = parts.every((part) => typeof part === 'string') ? parts.join('') : null;
  return { ok: true, fixed, fill: (from) => filled(parts, from, written) };
}

const asItIs = (value: string): string => value;

function filled<S>(parts: readonly (string | Value<S>)[], from: S, written: (value: string) => string): string {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : written(part(from));
  return text;
}

function unknownName(name: string, names: readonly string[]): string {
  const [family = ''] = name.split('.');
  const families = names.filter((known) => /\.(?:NAME|N)$/.test(known));
  const sameFamily = families.find((known) => nearest(family, [known.replace(/\.(?:NAME|N)$/, '')]) !== null);
  const meant = nearest(name, names) ?? sameFamily ?? null;
  const hint = meant === null ? '' : `; did you mean "\${${meant}}"?`;
  return `"\${${shortened(name)}}" stands for nothing here${hint === '' ? `; expected one of ${names.join(', ')}` : hint}`;
}

const shortened = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
