// Sections of the runbook, which lies beside the program.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the sources, and beside what is built from them. */
const PLACES = [join(import.meta.dirname, '..', '..', 'docs'), join(import.meta.dirname, '..', '..', '..', 'docs')];

/** What to do about an alert, as lines of text; null: the runbook is not here, or does not have it. */
export function runbookSection(code: string): readonly string[] | null {
  for (const place of PLACES) {
    try {
      return sectionOf(readFileSync(join(place, 'runbook.md'), 'utf8'), headingOf(code));
    } catch {
      continue;
    }
  }
  return null;
}

/** The heading that the code of an alert has: `cluster_down` is `cluster-down`. */
export function headingOf(code: string): string {
  return code.replaceAll('_', '-');
}

/** From `## HEADING` to the next one, without either; the marks of commands in it stay. */
export function sectionOf(markdown: string, heading: string): readonly string[] | null {
  const lines = markdown.split('\n');
  const begin = lines.indexOf(`## ${heading}`);
  if (begin < 0) return null;
  const rest = lines.slice(begin + 1);
  const end = rest.findIndex((line) => line.startsWith('## '));
  return paragraphs((end < 0 ? rest : rest.slice(0, end)).join('\n').trim());
}

/** A paragraph is one line, for whoever draws it to break; lists and tables keep theirs. */
function paragraphs(text: string): readonly string[] {
  return text
    .split(/\n{2,}/)
    .flatMap((part) => [...(/^[-|`]/m.test(part) && part.includes('\n') ? part.split('\n') : [part.replaceAll('\n', ' ')]), ''])
    .slice(0, -1);
}
