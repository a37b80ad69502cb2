// A value against the schema of the file: fills in defaults and says in words what does not fit.
import { createCheck, type SchemaFailure } from '../schema/check.ts';
import type { Schema } from '../schema/type.ts';
import { isKindName, KINDS } from './kinds.ts';
import { describeMisfit } from './misfit.ts';
import type { Finding } from './problems.ts';

/** What does not fit, as far as it matters for going on without it. */
export interface Misfit extends Finding {
  readonly keyword: string;
  /** The value has the type that the schema says, all the same: later steps can read it. */
  readonly keepsType: boolean;
}

export type Validator = (value: unknown) => readonly Misfit[];

/** The validator changes the value in place: it fills in defaults. Unknown keys are errors also where the schema of an extension forgot to say so. */
export function createValidator(schema: Schema): Validator {
  const check = createCheck(schema, { defaults: true, closed: true, kind: isOfKind });
  return (value) =>
    check(value).map((failure) => ({
      keyword: failure.keyword,
      keepsType: keepsType(failure),
      path: failure.path,
      atKey: failure.atKey,
      message: describeMisfit(failure),
    }));
}

function isOfKind(name: string, value: unknown): boolean | string {
  if (!isKindName(name)) throw new Error(`the schema names an unknown kind "${name}"`);
  return KINDS[name].check(value);
}

function keepsType({ keyword, data, path }: SchemaFailure): boolean {
  const listElement = keyword === 'kind' && typeof data === 'string' && typeof path.at(-1) === 'number';
  return listElement || ['minProperties', 'maxProperties', 'minItems'].includes(keyword);
}
