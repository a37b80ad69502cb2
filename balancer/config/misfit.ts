// Why a value does not fit the schema, in words that say what to write instead.
import type { SchemaFailure } from '../schema/check.ts';
import { isKindName, KINDS, type Kind } from './kinds.ts';
import { nearest } from './nearest.ts';
import { show } from './problems.ts';

export function describeMisfit(failure: SchemaFailure): string {
  const special = DESCRIPTIONS.get(failure.keyword);
  if (special !== undefined) return special(failure);
  const { what, expected } = nameOf(failure.schema);
  return `${given(failure)} is not ${what}; expected ${expected}`;
}

const NOT_REPEATED = 'what stands here';

/** The value, but where it may be a secret that stands in the wrong place: what is said here ends up in logs. */
function given({ data, schema }: SchemaFailure): string {
  return Reflect.get(schema, 'writeOnly') === true ? NOT_REPEATED : show(data);
}

const DESCRIPTIONS: ReadonlyMap<string, (failure: SchemaFailure) => string> = new Map([
  ['kind', describeKind],
  ['additionalProperties', describeUnknownKey],
  ['required', describeMissingKey],
  ['enum', describeChoice],
  ['type', describeType],
  ['minProperties', describeTooFewKeys],
  ['maxProperties', describeTooManyKeys],
  ['minItems', ({ schema }) => `the list is empty; expected ${textOf(schema, 'expected') ?? 'at least one entry'}`],
]);

function describeKind({ params, data }: SchemaFailure): string {
  const own = textOf(params, 'own');
  if (own !== null) return own;
  const name = textOf(params, 'kind') ?? '';
  if (!isKindName(name)) return `${show(data)} does not fit`;
  const { what, expected, secret = false }: Kind = KINDS[name];
  return `${data === null ? 'nothing' : secret ? NOT_REPEATED : show(data)} is not ${what}; expected ${expected}`;
}

function describeUnknownKey({ params, schema }: SchemaFailure): string {
  const key = textOf(params, 'additionalProperty') ?? '';
  const known = Object.keys(partOf(schema, 'properties'));
  const patterns = Object.keys(partOf(schema, 'patternProperties'));
  if (known.length === 0 && patterns.length > 0) return `"${key}" cannot be a key here; expected keys that match ${patterns.join(' or ')}`;
  const meant = nearest(key, known);
  if (meant !== null) return `unknown key "${key}"; did you mean "${meant}"?`;
  return known.length === 0 ? `unknown key "${key}"; nothing can be set here` : `unknown key "${key}"; known here: ${known.join(', ')}`;
}

function describeMissingKey({ params, schema: holder }: SchemaFailure): string {
  const key = textOf(params, 'missingProperty') ?? '';
  const schema = partOf(partOf(holder, 'properties'), key);
  const { expected } = nameOf(schema);
  const description = textOf(schema, 'description');
  return `"${key}" is missing${description === null ? '' : ` (${description})`}; expected ${expected}`;
}

function describeChoice({ data, schema }: SchemaFailure): string {
  const choices = choicesOf(schema);
  const meant = typeof data === 'string' ? nearest(data, choices) : null;
  const hint = meant === null ? '' : `; did you mean "${meant}"?`;
  return `${show(data)} is not possible here; expected ${listed(choices)}${hint}`;
}

function describeType(failure: SchemaFailure): string {
  const { data, schema } = failure;
  const { what, expected } = nameOf(schema);
  const form = typeName(schema);
  if (data === null) return `nothing is given; expected ${expected}${form === 'object' ? '; write {} for the defaults' : ''}`;
  return `${given(failure)} is not ${what}; expected ${expected}`;
}

function describeTooFewKeys({ schema }: SchemaFailure): string {
  const { expected } = nameOf(schema);
  return `the mapping is empty; expected ${expected}`;
}

function describeTooManyKeys({ data, schema }: SchemaFailure): string {
  const keys = typeof data === 'object' && data !== null ? Object.keys(data) : [];
  const described = textOf(schema, 'expected');
  return `${keys.length} keys stand together (${keys.join(', ')}); expected ${described ?? 'one key; write each in an entry of its own: - name: { … }'}`;
}

/** What the value should have been: as the schema says it, else from the form of the schema. */
function nameOf(schema: object | undefined): { readonly what: string; readonly expected: string } {
  const kind = textOf(schema, 'kind');
  if (kind !== null && isKindName(kind)) return KINDS[kind];
  const [what, expected] = formOf(schema);
  return { what: textOf(schema, 'what') ?? what, expected: textOf(schema, 'expected') ?? expected };
}

function formOf(schema: object | undefined): readonly [what: string, expected: string] {
  const choices = choicesOf(schema);
  if (choices.length > 0) return ['one of the choices', listed(choices)];
  const forms = [...listOf(schema, 'anyOf'), ...listOf(schema, 'oneOf')].map((form) => nameOf(form).expected);
  if (forms.length > 0) return ['one of the forms', forms.join(', or ')];
  switch (typeName(schema)) {
    case 'object':
      return ['a mapping', objectForm(schema)];
    case 'array':
      return ['a list', 'a list, such as [ … ]'];
    case 'boolean':
      return ['true or false', 'true or false'];
    case 'integer':
      return ['a whole number in range', `a whole number${rangeOf(schema)}`];
    case 'number':
      return ['a number in range', `a number${rangeOf(schema)}`];
    case 'string':
      return ['a text that fits', textOf(schema, 'pattern') === null ? 'a text' : `a text that matches ${textOf(schema, 'pattern')}`];
    default:
      return ['a value that fits', textOf(schema, 'description') ?? 'another value'];
  }
}

function objectForm(schema: object | undefined): string {
  const keys = Object.keys(partOf(schema, 'properties'));
  return keys.length === 0 ? 'a mapping from names to values' : `a mapping with ${keys.length > 6 ? 'some' : 'any'} of ${keys.join(', ')}`;
}

function rangeOf(schema: object | undefined): string {
  const limit = (keyword: string): string | null => {
    const value: unknown = schema === undefined ? undefined : Reflect.get(schema, keyword);
    return typeof value === 'number' ? String(value) : null;
  };
  const [least, above, most] = [limit('minimum'), limit('exclusiveMinimum'), limit('maximum')];
  const low = least !== null ? ` of at least ${least}` : above !== null ? ` above ${above}` : '';
  return most === null ? low : `${low}${low === '' ? ' of' : ' and'} at most ${most}`;
}

/** The first of the types: where there are several, the schema has words of its own. */
function typeName(schema: object | undefined): string | null {
  const type: unknown = schema === undefined ? undefined : Reflect.get(schema, 'type');
  const first: unknown = Array.isArray(type) ? type[0] : type;
  return typeof first === 'string' ? first : null;
}

function choicesOf(schema: object | undefined): readonly string[] {
  const choices: unknown = schema === undefined ? undefined : (Reflect.get(schema, 'enum') ?? Reflect.get(schema, 'const'));
  if (choices === undefined) return [];
  return (Array.isArray(choices) ? choices : [choices]).map(String);
}

function textOf(holder: object | undefined, key: string): string | null {
  const value: unknown = holder === undefined ? undefined : Reflect.get(holder, key);
  return typeof value === 'string' ? value : null;
}

function partOf(holder: object | undefined, key: string): object {
  const value: unknown = holder === undefined ? undefined : Reflect.get(holder, key);
  return typeof value === 'object' && value !== null ? value : {};
}

function listOf(holder: object | undefined, key: string): readonly object[] {
  const value: unknown = holder === undefined ? undefined : Reflect.get(holder, key);
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.filter((item) => typeof item === 'object' && item !== null);
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
