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
  const defaults = reading.defaults === true ? defaultsOf(known) : [];
  const filledIn = new Set(defaults.map(({ key }) => key));
  const required = (Array.isArray(schema['required']) ? schema['required'].map(String) : []).filter((key) => !filledIn.has(key));
  const name = 'propertyNames' in schema ? at.part(schema['propertyNames']) : null;
  return (value, walk) => {
    if (!isMapping(value)) return true;
    for (const key of required) {
      if (value[key] === undefined) fail(walk, { ...at, keyword: 'required' }, value, { missingProperty: key });
    }
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
    for (const missing of defaults) if (value[missing.key] === undefined) fillIn(value, missing, walk);
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

/** What a key gets when it is missing. */
interface Default {
  readonly key: string;
  /** Each mapping gets one of its own. */
  readonly make: () => unknown;
  /** Of a default that has defaults inside; null: it fits as it is. */
  readonly check: Check | null;
}

function defaultsOf(known: ReadonlyMap<string, KnownKey>): readonly Default[] {
  return [...known].flatMap(([key, { schema, check }]): Default[] => {
    if (!('default' in schema)) return [];
    const { default: value } = schema;
    if (typeof value !== 'object' || value === null) return [{ key, make: () => value, check: null }];
    return [{ key, make: () => copyOf(value), check }];
  });
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  return isMapping(value) ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)])) : value;
}

function fillIn(holder: Record<string, unknown>, { key, make, check }: Default, walk: Walk): void {
  holder[key] = make();
  if (check === null) return;
  walk.path.push(key);
  check(holder[key], walk);
  walk.path.pop();
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
