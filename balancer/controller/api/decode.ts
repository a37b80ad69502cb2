// Everything a caller sends is decoded here: a schema in, a typed value or a message that names the field and what was expected out.
import { createCheck, type SchemaFailure, type SchemaReading } from '../../schema/check.ts';
import type { Schema, Static } from '../../schema/type.ts';

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export type Decoder<T> = (input: unknown) => Decoded<T>;

/** More would not help anybody to mend a request. */
const MAX_PROBLEMS = 5;
const MAX_SHOWN_VALUE = 60;

/** A decoder for a JSON body; `what` begins the messages. */
export function bodyDecoder<S extends Schema>(schema: S, what = 'body'): Decoder<Static<S>> {
  return decoder(schema, {}, what);
}

/** A decoder for a query string. */
export function queryDecoder<S extends Schema>(schema: S): Decoder<Static<S>> {
  return decoder(schema, { defaults: true, spelled: true }, 'query');
}

function decoder<S extends Schema>(schema: S, reading: SchemaReading, what: string): Decoder<Static<S>> {
  const check = createCheck(schema, reading);
  return (input) => {
    const failures = check(input);
    if (failures.length === 0) return { ok: true, value: input as Static<S> };
    const messages = new Set(failures.map((failure) => describe(failure, what)));
    return { ok: false, message: [...messages].slice(0, MAX_PROBLEMS).join('; ') };
  };
}

/** What the value should have been, by the keyword that it failed. */
const EXPECTED: Readonly<Record<string, (failure: SchemaFailure) => string>> = {
  type: ({ params }) => withArticle(String(params['type']).replaceAll(',', ' or ')),
  const: ({ params }) => show(params['allowedValue']),
  enum: ({ params }) => `one of ${list(params['allowedValues'])}`,
  // A pattern is for machines; the schema's description says the same for people.
  pattern: ({ schema, params }) =>
    typeof schema['description'] === 'string' ? schema['description'] : `a match of ${String(params['pattern'])}`,
  minimum: ({ params }) => `at least ${String(params['limit'])}`,
  maximum: ({ params }) => `at most ${String(params['limit'])}`,
  exclusiveMinimum: ({ params }) => `more than ${String(params['limit'])}`,
  exclusiveMaximum: ({ params }) => `less than ${String(params['limit'])}`,
  minLength: ({ params }) => `at least ${String(params['limit'])} characters`,
  maxLength: ({ params }) => `at most ${String(params['limit'])} characters`,
  minItems: ({ params }) => `at least ${String(params['limit'])} entries`,
  maxItems: ({ params }) => `at most ${String(params['limit'])} entries`,
  maxProperties: ({ params }) => `at most ${String(params['limit'])} names`,
};

function describe(failure: SchemaFailure, what: string): string {
  const { keyword, params, data } = failure;
  const field = [what, ...(keyword === 'additionalProperties' ? failure.path.slice(0, -1) : failure.path)].join('.');
  switch (keyword) {
    case 'additionalProperties':
      return `${field}: unknown field ${show(params['additionalProperty'])}, expected one of ${allowedFields(failure)}`;
    case 'required':
      return `${field}.${String(params['missingProperty'])}: missing`;
    case 'discriminator':
      return `${field}.${String(params['tag'])}: expected one of ${list(params['tags'])}, got ${show(params['tagValue'])}`;
    default:
      return `${field}: expected ${EXPECTED[keyword]?.(failure) ?? 'another value'}, got ${show(data)}`;
  }
}

function withArticle(type: string): string {
  return `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`;
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= MAX_SHOWN_VALUE ? text : `${text.slice(0, MAX_SHOWN_VALUE)}…`;
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.map(String).join(', ') : String(values);
}

function allowedFields({ schema }: SchemaFailure): string {
  const { properties } = schema;
  const fields = typeof properties === 'object' && properties !== null ? Object.keys(properties) : [];
  return fields.length === 0 ? 'none' : fields.join(', ');
}
