// Fields that tell of the bytes of a body, and would not be true of others.
import { fieldIndex, removeField, type Fields } from './fields.ts';

const OF_BYTES: readonly string[] = ['accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest'];

/** Of a head or of trailers: the body is another one. */
export function removeBodyFields(fields: Fields): void {
  for (const name of OF_BYTES) removeField(fields, name);
}

/** The same, but not byte by byte (RFC 9110 section 8.8.1). */
export function weakenEtag(fields: Fields): void {
  const at = fieldIndex(fields, 'etag');
  if (at >= 0 && (fields[at] ?? '').startsWith('"')) fields[at] = `W/${fields[at] ?? ''}`;
}
