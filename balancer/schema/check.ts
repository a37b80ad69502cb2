// A value against a schema, by walking both: no code is generated, so a schema costs nothing before the part of it is met.
import type { At, Check, Rule, SchemaFailure, SchemaReading, Walk } from './rule.ts';
import { rulesOf } from './rules.ts';
import type { Schema } from './type.ts';

export type { SchemaFailure, SchemaReading } from './rule.ts';

/** All that does not fit; the value is changed in place where the reading says so. Throws where the schema itself is wrong, when it is met. */
export function createCheck(schema: Schema, reading: SchemaReading = {}): (value: unknown) => readonly SchemaFailure[] {
  const check = prepare(schema, reading);
  return (value) => {
    const walk: Walk = { path: [], failures: [] };
    check(value, walk);
    return walk.failures;
  };
}

/** The rules are made when the first value comes, then kept. */
function prepare(schema: unknown, reading: SchemaReading): Check {
  let rules: readonly Rule[] | null = null;
  return (value, walk) => {
    rules ??= rulesOf(placeOf(schema, reading));
    for (const rule of rules) if (!rule(value, walk)) return;
  };
}

function placeOf(schema: unknown, reading: SchemaReading): At {
  if (typeof schema !== 'object' || schema === null) throw new Error(`${JSON.stringify(schema)} is not a schema`);
  return { keyword: '', schema: { ...schema }, reading, part: (inner, how = reading) => prepare(inner, how) };
}
