// Checks on names and text that a compiler does not make: words that are banned, notes left behind, things of one machine only.
import ts from 'typescript';
import { lineOf, parse, walk } from './source-tree.ts';

/** Words that say nothing about what a thing does, as the last word of a file name or of a declared name. */
const EMPTY_WORDS: readonly string[] = ['manager', 'helper', 'helpers', 'util', 'utils', 'base', 'common', 'misc', 'impl', 'stuff'];

/** Other words for what the program has one word for already: the first is banned as a part of a declared name, the second is the word. */
const SYNONYMS: Readonly<Record<string, string>> = {
  backend: 'endpoint, or upstream',
  datacenter: 'cluster',
  traefik: 'the word of our own design',
  failover: 'redistribute',
  blackout: 'maintenance',
};

/** What is left in a file for later, written so that this file does not hold it. */
const LEFT_FOR_LATER = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);

/** Folders that exist on the machine of one person or one build only. */
const ONE_MACHINE = /(?<![\w.\-/])\/(?:home|root|Users|work|workspace|builds)\/\w/;

/** Addresses of package registries: the lock file and the documents work with whichever the reader's npm uses. */
const REGISTRY = /https?:\/\/[\w.-]*(?:registry|artifactory|nexus|verdaccio)[\w.-]*/i;

/** The empty word that the file or one of its folders is named with, or null. */
export function emptyWordInPath(path: string): string | null {
  for (const part of path.split('/')) {
    const stem = part.replace(/(\.test)?\.[a-z]+$/, '');
    const last = stem.split('-').at(-1) ?? '';
    if (EMPTY_WORDS.includes(last)) return last;
  }
  return null;
}

/** One message per declared class, interface, type, function or constant whose name has an empty word or a synonym. */
export function wordBreaches(path: string, text: string): readonly string[] {
  const found: string[] = [];
  walk(parse(path, text), (node) => {
    const name = declaredName(node);
    if (name === null) return;
    const words = name.text.split(/(?=[A-Z])|_/).map((word) => word.toLowerCase());
    const last = words.at(-1) ?? '';
    if (words.length > 1 && EMPTY_WORDS.includes(last))
      found.push(`${path}:${lineOf(name)} ${name.text}: "${last}" says nothing; name what it does`);
    for (const word of words) {
      const ours = Object.hasOwn(SYNONYMS, word.replace(/s$/, '')) ? SYNONYMS[word.replace(/s$/, '')] : undefined;
      if (ours !== undefined) found.push(`${path}:${lineOf(name)} ${name.text}: the word is ${ours}, not "${word}"`);
    }
  });
  return found;
}

function declaredName(node: ts.Node): ts.Identifier | null {
  const declares =
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isVariableDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isMethodDeclaration(node);
  return declares && node.name !== undefined && ts.isIdentifier(node.name) ? node.name : null;
}

/** One message per line that was left for later, names a folder of one machine, or names a package registry. */
export function leftovers(path: string, text: string): readonly string[] {
  const checks: readonly (readonly [RegExp, string])[] = [
    [LEFT_FOR_LATER, 'was left for later; do it or take it out'],
    [ONE_MACHINE, 'names a folder of one machine'],
    [REGISTRY, 'names a package registry'],
  ];
  return text.split('\n').flatMap((line, index) =>
    checks.flatMap(([pattern, problem]) => {
      const match = pattern.exec(line);
      return match === null ? [] : [`${path}:${index + 1} ${problem}: ${match[0]}`];
    }),
  );
}

/** Comments that switch a check off for one line must say why after two hyphens; for a whole file, or for the compiler, there are none. */
export function silencers(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const where = `${path}:${index + 1}`;
    if (/^\s*(?:\/\/|\/\*)\s*@ts-(?:ignore|nocheck|expect-error)/.test(line)) return [`${where} silences the compiler`];
    if (/^\s*\/\*\s*eslint-disable(?!-)/.test(line)) return [`${where} switches the lint off for the rest of the file`];
    if (/(?:\/\/|\/\*)\s*eslint-disable-(?:next-)?line(?!.* -- .{10})/.test(line))
      return [`${where} does not say why: rule, two hyphens, reason`];
    return [];
  });
}

export interface TestTitle {
  readonly line: number;
  /** With the titles it stands under; `…` stands for what is computed. */
  readonly text: string;
}

/** The titles of the tests in a file, and what switches tests off without saying why. */
export function testsOf(path: string, text: string): { readonly titles: readonly TestTitle[]; readonly switchedOff: readonly string[] } {
  const titles: TestTitle[] = [];
  const switchedOff: string[] = [];
  walk(parse(path, text), (node) => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && /^(test|it)$/.test(node.expression.text)) {
      const title = node.arguments[0];
      if (title !== undefined) titles.push({ line: lineOf(node), text: [...titlesAbove(node), titleText(title)].join(' ') });
    }
    const problem = switchOf(node);
    if (problem !== null) switchedOff.push(`${path}:${lineOf(node)} ${problem}`);
  });
  return { titles, switchedOff };
}

/** The titles of the groups around a test, outermost first. */
function titlesAbove(node: ts.Node): readonly string[] {
  const above: string[] = [];
  for (let at: ts.Node = node.parent; !ts.isSourceFile(at); at = at.parent) {
    const title =
      ts.isCallExpression(at) && ts.isIdentifier(at.expression) && /^(describe|suite)$/.test(at.expression.text)
        ? at.arguments[0]
        : undefined;
    if (title !== undefined) above.unshift(titleText(title));
  }
  return above;
}

function titleText(title: ts.Expression): string {
  if (ts.isStringLiteralLike(title)) return title.text;
  if (ts.isTemplateExpression(title)) return [title.head.text, ...title.templateSpans.map((span) => span.literal.text)].join('…');
  return '…';
}

function switchOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && /^(test|it|describe|suite)$/.test(node.expression.text)) {
    if (node.name.text === 'only') return 'runs alone: take `.only` out';
    if (/^(skip|todo)$/.test(node.name.text)) return `is off: write { ${node.name.text}: 'why' } as an option`;
  }
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && /^(skip|todo)$/.test(node.expression.name.text)) {
    const of = node.expression.expression;
    if (ts.isIdentifier(of) && of.text === 't' && node.arguments.length === 0) return 'is off: say why, t.skip("why")';
  }
  if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && /^(only|skip|todo)$/.test(node.name.text)) {
    if (node.initializer.kind === ts.SyntaxKind.TrueKeyword) return `has ${node.name.text}: true; give the reason as text, or take it out`;
  }
  return null;
}
