// The keywords that speak of the keys of a mapping, as one rule, so that each key is looked at once.
import { isMapping, fail, type At, type Check, type Rule, type Walk } from './rule.ts';
import { spelledOut } from './spelled.ts';

interface KnownKey {
  readonly check: Check;
  readonly schema: object;
}

/** What to do with a key that has no schema of its own. */
type Others = 'allowed' | 'refused' | Check;

export function objectRule(at: At): Rule {
  const { schema, reading } = at;
  const known = knownKeys(at);
  const patterns = [...partsOf(schema['patternProperties'])].map(([pattern, inner]) => ({
    pattern: new RegExp(pattern, 'u'),
    check: at.part(inner),
  }));
  const others = othersOf(at);
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  const defaults = reading.defaults === true ? defaultsOf(known) : [];
  const name = 'propertyNames' in schema ? at.part(schema['propertyNames']) : null;
  return (value, walk) => {
    if (!isMapping(value)) return true;
    for (const [key, text] of defaults) if (value[key] === undefined) value[key] = JSON.parse(text);
    for (const key of required) if (value[key] === undefined) fail(walk, { ...at, keyword: 'required' }, value, { missingProperty: key });
    for (const key of Object.keys(value)) {
      if (value[key] === undefined) continue;
      if (name !== null) checkName(name, key, walk);
      const own = known.get(key);
      if (own !== undefined && reading.spelled === true) value[key] = spelledOut(value[key], own.schema);
      walk.path.push(key);
      own?.check(value[key], walk);
      let matched = own !== undefined;
      for (const { pattern, check } of patterns) {
        if (!pattern.test(key)) continue;
        matched = true;
        check(value[key], walk);
      }
      if (!matched && typeof others === 'function') others(value[key], walk);
      walk.path.pop();
      if (!matched && others === 'refused') refuse(key, value, walk, at);
    }
    return true;
  };
}

function refuse(key: string, value: unknown, walk: Walk, at: At): void {
  const { path, failures } = walk;
  const { schema } = at;
  failures.push({
    keyword: 'additionalProperties',
    path: [...path, key],
    atKey: true,
    params: { additionalProperty: key },
    data: value,
    schema,
  });
}

/** What is wrong with a name is told at the name. */
function checkName(check: Check, key: string, walk: Walk): void {
  const inner: Walk = { path: [...walk.path, key], failures: [] };
  check(key, inner);
  walk.failures.push(...inner.failures.map((failure) => ({ ...failure, atKey: true })));
}

function knownKeys(at: At): ReadonlyMap<string, KnownKey> {
  return new Map([...partsOf(at.schema['properties'])].map(([key, schema]) => [key, { schema, check: at.part(schema) }]));
}

/** A key → the text of what it gets when it is missing: each mapping gets a value of its own. */
function defaultsOf(known: ReadonlyMap<string, KnownKey>): readonly (readonly [string, string])[] {
  return [...known].flatMap(([key, { schema }]) => ('default' in schema ? [[key, JSON.stringify(schema.default)] as const] : []));
}

function othersOf({ schema, reading, part }: At): Others {
  const { additionalProperties } = schema;
  if (additionalProperties === false) return 'refused';
  if (typeof additionalProperties === 'object') return part(additionalProperties);
  const listsKeys = 'properties' in schema || 'patternProperties' in schema;
  return additionalProperties === undefined && reading.closed === true && listsKeys ? 'refused' : 'allowed';
}

function* partsOf(parts: unknown): Iterable<readonly [string, object]> {
  if (!isMapping(parts)) return;
  for (const [key, part] of Object.entries(parts)) if (typeof part === 'object' && part !== null) yield [key, part];
}
