// The field Vary: what of a request its response depends on (RFC 9110 section 12.5.5).
import { fieldIndex, type Fields } from './fields.ts';

/** `name` in lower case. */
export function addVary(fields: Fields, name: string): void {
  const at = fieldIndex(fields, 'vary');
  if (at < 0) fields.push('vary', name);
  else if (
    !(fields[at] ?? '')
      .toLowerCase()
      .split(',')
      .some((one) => ['*', name].includes(one.trim()))
  )
    fields[at] = `${fields[at] ?? ''}, ${name}`;
}
