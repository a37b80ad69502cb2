// Conditions on values of a request: as the file states them → as they are checked.
import type { Completion } from './completion.ts';
import type { FieldMatch, ValueMatch } from './match-config.ts';
import type { ValuePath } from './problems.ts';
import type { ValueMatchFile } from './schema-match.ts';

/** Most matches ask for nothing; they share this. */
const NONE: readonly never[] = Object.freeze([]);

type Conditions = Readonly<Record<string, ValueMatchFile>> | undefined;

/** Names as they are written: of query parameters and cookies. */
export function completeConditions(file: Conditions): readonly FieldMatch[] {
  return file === undefined ? NONE : Object.entries(file).map(([name, value]) => ({ name, match: completeValue(value) }));
}

export function completeHeaders(file: Conditions, path: ValuePath, completion: Completion): readonly FieldMatch[] {
  if (file === undefined) return NONE;
  const seen = new Set<string>();
  return Object.entries(file).map(([written, value]) => {
    const name = written.toLowerCase();
    if (name === 'host') completion.reportKey([...path, written], 'the host is matched by hosts; write match: { hosts: [ … ] }');
    if (seen.has(name)) completion.reportKey([...path, written], `"${name}" is already given above; names of header fields have no case`);
    seen.add(name);
    return { name, match: completeValue(value) };
  });
}

function completeValue(file: ValueMatchFile): ValueMatch {
  if (typeof file === 'string') return { kind: 'exact', value: file };
  if (file.regex !== undefined) return { kind: 'regex', value: file.regex };
  return { kind: file.present === true ? 'present' : 'absent' };
}
