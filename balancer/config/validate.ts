// A value against the schema of the file: fills in defaults and says in words what does not fit. The only importer of ajv.
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from '@sinclair/typebox';
import { isKindName, KINDS } from './kinds.ts';
import { describeMisfit } from './misfit.ts';
import type { Finding, ValuePath } from './problems.ts';

/** What does not fit, as far as it matters for going on without it. */
export interface Misfit extends Finding {
  readonly keyword: string;
  /** The value has the type that the schema says, all the same: later steps can read it. */
  readonly keepsType: boolean;
}

export type Validator = (value: unknown) => readonly Misfit[];

/** The validator changes the value in place: it fills in defaults. */
export function createValidator(schema: TSchema): Validator {
  const ajv = new Ajv({ allErrors: true, verbose: true, useDefaults: true, strict: false, allowUnionTypes: true, messages: false });
  ajv.addKeyword({ keyword: 'kind', schemaType: 'string', errors: true, validate: checkKind });
  const validate: ValidateFunction = ajv.compile(Object(sealed(schema)));
  return (value) => (validate(value) ? [] : misfits(validate.errors ?? [], value));
}

interface KeywordCheck {
  (kind: string, value: unknown): boolean;
  errors?: Partial<ErrorObject>[];
}

const checkKind: KeywordCheck = (name, value) => {
  if (!isKindName(name)) throw new Error(`the schema names an unknown kind "${name}"`);
  const verdict = KINDS[name].check(value);
  if (verdict !== true) checkKind.errors = [{ keyword: 'kind', params: { kind: name, own: verdict === false ? null : verdict } }];
  return verdict === true;
};

const NAMED_PARTS: readonly string[] = ['properties', 'patternProperties'];
const PARTS: readonly string[] = ['items', 'additionalProperties', 'anyOf', 'oneOf'];

/** Unknown keys are errors also where the schema of an extension forgot to say so. */
function sealed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map((part: unknown) => sealed(part));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([keyword, part]: [string, unknown]) => {
      if (!NAMED_PARTS.includes(keyword)) return [keyword, PARTS.includes(keyword) ? sealed(part) : part];
      return [keyword, Object.fromEntries(Object.entries(part ?? {}).map(([name, value]) => [name, sealed(value)]))];
    }),
  );
  const listsKeys = NAMED_PARTS.some((keyword) => keyword in copy);
  return listsKeys && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}

/** One finding per thing that is wrong: of a union only the branch that was meant, or the union as a whole. */
function misfits(errors: readonly ErrorObject[], root: unknown): readonly Misfit[] {
  // Of a value of the wrong type nothing else needs to be said.
  const wrongType = new Set(errors.filter(({ keyword }) => keyword === 'type').map(schemaAt));
  let left = errors.filter((error) => error.keyword === 'type' || (error.keyword !== 'propertyNames' && !wrongType.has(schemaAt(error))));
  for (const union of errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf')) {
    const inside = left.filter((error) => error.schemaPath.startsWith(`${union.schemaPath}/`));
    const branches = Map.groupBy(inside, (error) => error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0] ?? '');
    const meant = [...branches.values()].filter((branch) => branch.every((error) => !rulesOut(error, union.instancePath)));
    const kept = meant.length === 1 ? (meant[0] ?? []) : [union];
    left = [...left.filter((error) => error !== union && !inside.includes(error)), ...kept];
  }
  return left.map((error) => ({
    keyword: error.keyword,
    keepsType: keepsType(error),
    ...locate(error, root),
    message: describeMisfit(error),
  }));
}

/** One value at one schema. */
function schemaAt({ instancePath, schemaPath }: ErrorObject): string {
  return `${instancePath}#${schemaPath.slice(0, schemaPath.lastIndexOf('/'))}`;
}

function keepsType(error: ErrorObject): boolean {
  const listElement = error.keyword === 'kind' && typeof error.data === 'string' && /\/[0-9]+$/.test(error.instancePath);
  return listElement || ['minProperties', 'maxProperties', 'minItems'].includes(error.keyword);
}

/** Whether the value is of another form altogether, so that this branch was not meant. */
function rulesOut(error: ErrorObject, at: string): boolean {
  return error.instancePath === at && ['type', 'const', 'enum', 'pattern', 'kind'].includes(error.keyword);
}

function locate(error: ErrorObject, root: unknown): { readonly path: ValuePath; readonly atKey?: boolean } {
  const path = decodePointer(error.instancePath, root);
  // Of a name that does not fit, the data is the name.
  if (error.schemaPath.includes('/propertyNames/')) return { path: [...path, String(error.data)], atKey: true };
  const unknownKey: unknown = Reflect.get(error.params, 'additionalProperty');
  return typeof unknownKey === 'string' ? { path: [...path, unknownKey], atKey: true } : { path };
}

/** JSON Pointer (RFC 6901) → path; only the value tells an index of a list from a key of digits. */
function decodePointer(pointer: string, root: unknown): ValuePath {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return path;
}
