// What the documents claim about the checkout, read as data: paths, links, scripts, sections.
import { posix } from 'node:path';

/** A path or a link in a document, with the line it stands in. */
export interface Mention {
  readonly document: string;
  readonly line: number;
  readonly path: string;
}

const TOP_FOLDERS = 'agent|balancer|bench|docs|health|test|tui|\\.ci';
/** A path from the root: starts with a folder of the top level and has no placeholder (`NAME`), wildcard or address in it. */
const PATH = new RegExp(`^(?!.*\\bNAME\\b)(?:${TOP_FOLDERS})/[\\w./-]*$`);

/** The paths from the root that stand in backticks, and the targets of links to files, both as paths from the root. */
export function mentions(document: string, text: string): readonly Mention[] {
  let fenced = false;
  return text.split('\n').flatMap((line, index) => {
    if (line.startsWith('```')) fenced = !fenced;
    if (fenced) return [];
    const inBackticks = [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '').filter((code) => PATH.test(code));
    const links = [...line.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1] ?? '').filter((target) => !/^[a-z]+:/.test(target));
    const fromRoot = links.map((target) => posix.normalize(posix.join(posix.dirname(document), target)));
    return [...inBackticks, ...fromRoot].map((path) => ({ document, line: index + 1, path }));
  });
}

/** The blocks between three backticks that are marked with `language`. */
export function codeBlocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '');
}

/** The npm scripts that a text tells the reader to run. */
export function npmScripts(text: string): readonly string[] {
  return [...text.matchAll(/npm (?:run (?:-s |--silent )?)([a-z]+)|npm (start|test)\b/g)].map((match) => match[1] ?? match[2] ?? '');
}

/** The first words after `weir` on the command lines of a text: in code blocks, and in backticks. */
export function weirCommands(text: string): readonly string[] {
  const code = [...codeBlocks(text, 'sh'), ...[...text.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')];
  return code.flatMap((lines) => [...lines.matchAll(/(?:^|\$ |-s )weir (?:-- )?([a-z]+)/gm)].map((match) => match[1] ?? ''));
}
