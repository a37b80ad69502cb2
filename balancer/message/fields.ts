// Header fields as every part of weir carries them.

/** Flat list: name, value, name, value, … Names are lower case. Order of arrival; repeated names stay apart. */
export type Fields = string[];

/** Index of the value of the first field `name`, or -1. */
export function fieldIndex(fields: Readonly<Fields>, name: string): number {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return i + 1;
  return -1;
}

/** The first value of `name`, or undefined. */
export function fieldValue(fields: Readonly<Fields>, name: string): string | undefined {
  const index = fieldIndex(fields, name);
  return index < 0 ? undefined : fields[index];
}

/** Sets `name` to one value, dropping others of that name. */
export function setField(fields: Fields, name: string, value: string): void {
  removeField(fields, name);
  fields.push(name, value);
}

/** Drops every field `name`. */
export function removeField(fields: Fields, name: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) if (fields[i] === name) fields.splice(i, 2);
}
