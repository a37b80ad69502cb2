// By what names a service lets its answers be purged: the fields cache-tag and surrogate-key, which clients never see.
import type { Fields } from '../../message/fields.ts';

/** More, or longer ones, are no names that anybody purges by; such an answer is not stored, since a purge could miss it. */
const MOST_TAGS = 100;
export const LONGEST_TAG = 256;

const NO_TAGS: readonly string[] = [];

export interface Tagged {
  /** Without the fields that name tags. */
  readonly fields: Fields;
  /** Null: too many or too long to be kept. */
  readonly tags: readonly string[] | null;
}

/** `cache-tag` divides by commas, `surrogate-key` by blanks; a tag has neither in it. */
export function takeTags(fields: Fields): Tagged {
  let from = 0;
  while (from < fields.length && !isTagField(fields[from])) from += 2;
  if (from >= fields.length) return { fields, tags: NO_TAGS };
  const tags = new Set<string>();
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [name = '', value = ''] = [fields[i], fields[i + 1]];
    if (isTagField(name)) for (const tag of value.split(/[\s,]+/)) tags.add(tag);
    else kept.push(name, value);
  }
  tags.delete('');
  const fits = tags.size <= MOST_TAGS && [...tags].every((tag) => tag.length <= LONGEST_TAG);
  return { fields: kept, tags: fits ? [...tags] : null };
}

const isTagField = (name: string | undefined): boolean => name === 'cache-tag' || name === 'surrogate-key';
