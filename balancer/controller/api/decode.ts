// Everything a caller sends is decoded here: a schema in, a typed value or a message that names the field and what was expected out.
import { Ajv, type ErrorObject } from 'ajv';
import type { Static, TSchema } from '@sinclair/typebox';

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

export type Decoder<T> = (input: unknown) => Decoded<T>;

/** More would not help anybody to mend a request. */
const MAX_PROBLEMS = 5;
const MAX_SHOWN_VALUE = 60;

// A union by `kind` requires the tag outside of its branches and takes `null` beside a number; strict mode would object to both.
const jsonAjv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  discriminator: true,
});
/** Query strings are text: `limit=5` is the number 5, `dryRun=true` is true. */
const queryAjv = new Ajv({ allErrors: true, verbose: true, strict: true, coerceTypes: true, useDefaults: true });

/** A decoder for a JSON body; `what` begins the messages. */
export function bodyDecoder<S extends TSchema>(schema: S, what = 'body'): Decoder<Static<S>> {
  return compile(jsonAjv, schema, what);
}

/** A decoder for a query string. */
export function queryDecoder<S extends TSchema>(schema: S): Decoder<Static<S>> {
  return compile(queryAjv, schema, 'query');
}

function compile<S extends TSchema>(ajv: Ajv, schema: S, what: string): Decoder<Static<S>> {
  const check = ajv.compile(schema);
  return (input) => {
    if (check(input)) return { ok: true, value: input as Static<S> };
    const messages = new Set((check.errors ?? []).map((error) => describe(error, what)));
    return { ok: false, message: [...messages].slice(0, MAX_PROBLEMS).join('; ') };
  };
}

function describe(error: ErrorObject, what: string): string {
  const field = `${what}${error.instancePath.replaceAll('/', '.')}`;
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'additionalProperties':
      return `${field}: unknown field ${show(params['additionalProperty'])}, expected one of ${allowedFields(error)}`;
    case 'required':
      return `${field}.${String(params['missingProperty'])}: missing`;
    case 'type':
      return `${field}: expected ${withArticle(String(params['type']).replaceAll(',', ' or '))}, got ${show(error.data)}`;
    case 'const':
      return `${field}: expected ${show(params['allowedValue'])}, got ${show(error.data)}`;
    case 'enum':
      return `${field}: expected one of ${list(params['allowedValues'])}, got ${show(error.data)}`;
    case 'discriminator':
      return `${field}.${String(params['tag'])}: expected one of ${discriminators(error)}, got ${show(params['tagValue'])}`;
    case 'pattern':
      return `${field}: expected ${description(error)}, got ${show(error.data)}`;
    default:
      return `${field}: ${error.message ?? 'is not allowed'}, got ${show(error.data)}`;
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

function allowedFields(error: ErrorObject): string {
  const schema: unknown = error.parentSchema;
  const fields = isRecord(schema) && isRecord(schema['properties']) ? Object.keys(schema['properties']) : [];
  return fields.length === 0 ? 'none' : fields.join(', ');
}

/** The values of the tag among the branches of a union. */
function discriminators(error: ErrorObject): string {
  const schema: unknown = error.parentSchema;
  const tag = String((error.params as Readonly<Record<string, unknown>>)['tag']);
  const branches = isRecord(schema) && Array.isArray(schema['oneOf']) ? schema['oneOf'] : [];
  return branches
    .map((branch: unknown) => (isRecord(branch) && isRecord(branch['properties']) ? branch['properties'][tag] : null))
    .map((field) => (isRecord(field) ? String(field['const']) : '?'))
    .join(', ');
}

/** A pattern is for machines; the schema's description says the same for people. */
function description(error: ErrorObject): string {
  const schema: unknown = error.parentSchema;
  return isRecord(schema) && typeof schema['description'] === 'string' ? schema['description'] : `a match of ${String(error.schema)}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
