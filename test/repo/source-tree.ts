// Reads the checkout as data: which files there are, and what each TypeScript file imports and how.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import ts from 'typescript';

/** The root of the checkout, with a slash at its end removed. */
export const ROOT = join(import.meta.dirname, '../..');

/** What a build or a tool leaves behind, as `.gitignore` has it. Version control may be absent, so it is not asked. */
const LEFT_BEHIND = new Set(['.git', 'node_modules', 'dist', '.results']);

/** `type` is erased before the program runs; `lazy` is loaded when it is first needed; `value` is loaded at start. */
export type ImportKind = 'value' | 'type' | 'lazy';

export interface Import {
  /** From the root of the checkout, with forward slashes. */
  readonly from: string;
  readonly line: number;
  /** A path from the root for a relative import; the specifier as written for a package or a Node module. */
  readonly target: string;
  readonly relative: boolean;
  readonly kind: ImportKind;
}

/** All files of the checkout, as paths from its root, sorted. */
export function listFiles(folder: string = ROOT): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((found) => !LEFT_BEHIND.has(found.name) && !found.name.endsWith('.log'))
    .flatMap((found) => {
      const path = join(folder, found.name);
      return found.isDirectory() ? listFiles(path) : [relative(ROOT, path)];
    })
    .sort();
}

/** The text of a file named from the root. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The TypeScript files of the checkout. */
export function listSources(): readonly string[] {
  return listFiles().filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
}

/** The syntax tree of one file. */
export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2024, true, ts.ScriptKind.TS);
}

/** Calls `visit` on every node, parents first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => {
    walk(child, visit);
  });
}

/** The line of a node, counted from 1. */
export function lineOf(node: ts.Node): number {
  const file = node.getSourceFile();
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}

/** Everything one file imports: static, re-exported, `import type`, `import('…')` and types written as `import('…').Name`. */
export function importsOf(path: string, text: string): readonly Import[] {
  const found: Import[] = [];
  walk(parse(path, text), (node) => {
    const written = specifierOf(node);
    if (written === null) return;
    const isRelative = written.specifier.startsWith('.');
    const target = isRelative ? posix.normalize(posix.join(dirname(path), written.specifier)) : written.specifier;
    found.push({ from: path, line: lineOf(node), target, relative: isRelative, kind: written.kind });
  });
  return found;
}

function specifierOf(node: ts.Node): { readonly specifier: string; readonly kind: ImportKind } | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const erased = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { specifier: node.moduleSpecifier.text, kind: erased ? 'type' : 'value' };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, kind: node.isTypeOnly ? 'type' : 'value' };
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, kind: 'type' };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const argument = node.arguments[0];
    // A computed path cannot be judged, so it counts as a target that no table allows.
    return { specifier: argument !== undefined && ts.isStringLiteralLike(argument) ? argument.text : '<computed>', kind: 'lazy' };
  }
  return null;
}
