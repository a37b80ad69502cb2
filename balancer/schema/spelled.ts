// Texts that spell a number or a truth value, for sources that have only texts.

const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?$/;

/** The value that the text spells where the schema expects one; anything else stays as it is, for the check to refuse. */
export function spelledOut(value: unknown, schema: object): unknown {
  if (typeof value !== 'string') return value;
  switch (Reflect.get(schema, 'type')) {
    case 'number':
    case 'integer':
      return NUMBER.test(value) ? Number(value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    default:
      return value;
  }
}
