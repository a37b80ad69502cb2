// What a text that is no YAML has wrong, in words that help: asked only for texts that are refused already, so it decides nothing.
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** Loaded for the first text that is refused: a host that starts has none. */
const loadYaml = (): typeof Yaml => createRequire(import.meta.url)('yaml') as typeof Yaml;

export interface SyntaxProblem {
  readonly offset: number;
  readonly message: string;
}

/** Takes a second parser that goes on after an error and names all of them. Empty: it sees none. */
export function explainSyntax(text: string): readonly SyntaxProblem[] {
  const document = loadYaml().parseDocument(text, { prettyErrors: false, version: '1.2', uniqueKeys: true, merge: false });
  return document.errors.map(({ code, message, pos }) => ({
    offset: pos[0],
    message: code === 'DUPLICATE_KEY' ? DUPLICATE_KEY : message,
  }));
}

export const DUPLICATE_KEY = 'this key is already given above; keep one of them';
