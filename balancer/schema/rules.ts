// The keywords of JSON Schema that the schemas of weir are written in, and what each asks of a value.
import { isDeepStrictEqual } from 'node:util';
import { objectRule } from './object-rule.ts';
import { fail, isMapping, type At, type Rule, type RuleMaker } from './rule.ts';
import { taggedRule, unionRule } from './union-rule.ts';

/** In this order; of a value of the wrong type nothing else is said. */
const RULES: ReadonlyMap<string, RuleMaker> = new Map<string, RuleMaker>([
  ['type', typeRule],
  ['kind', kindRule],
  ['const', constRule],
  ['enum', enumRule],
  ['minimum', bound((value, limit) => value >= limit)],
  ['maximum', bound((value, limit) => value <= limit)],
  ['exclusiveMinimum', bound((value, limit) => value > limit)],
  ['exclusiveMaximum', bound((value, limit) => value < limit)],
  ['minLength', size(characters, (has, limit) => has >= limit)],
  ['maxLength', size(characters, (has, limit) => has <= limit)],
  ['pattern', patternRule],
  ['minItems', size(items, (has, limit) => has >= limit)],
  ['maxItems', size(items, (has, limit) => has <= limit)],
  ['items', itemsRule],
  ['minProperties', size(keys, (has, limit) => has >= limit)],
  ['maxProperties', size(keys, (has, limit) => has <= limit)],
  ['anyOf', unionRule],
  ['oneOf', taggedRule],
]);

const OF_MAPPINGS: readonly string[] = ['properties', 'patternProperties', 'additionalProperties', 'propertyNames', 'required'];
/** They say something to people, or to other keywords. */
const SILENT: readonly string[] = ['description', 'default', 'what', 'expected', 'discriminator', 'writeOnly'];

/** Throws on a keyword that it does not know: a rule that nobody checks is worse than none. */
export function rulesOf(at: At): readonly Rule[] {
  const { schema } = at;
  for (const keyword of Object.keys(schema)) {
    if (!RULES.has(keyword) && !OF_MAPPINGS.includes(keyword) && !SILENT.includes(keyword)) {
      throw new Error(`"${keyword}" in a schema is not checked by anything; balancer/schema/rules.ts has the keywords there are`);
    }
  }
  const rules = [...RULES].filter(([keyword]) => keyword in schema).map(([keyword, make]) => make(schema[keyword], { ...at, keyword }));
  return OF_MAPPINGS.some((keyword) => keyword in schema) ? [...rules, objectRule(at)] : rules;
}

const TYPES: ReadonlyMap<unknown, (value: unknown) => boolean> = new Map<unknown, (value: unknown) => boolean>([
  ['string', (value) => typeof value === 'string'],
  ['number', Number.isFinite],
  ['integer', Number.isInteger],
  ['boolean', (value) => typeof value === 'boolean'],
  ['null', (value) => value === null],
  ['array', Array.isArray],
  ['object', isMapping],
]);

function typeRule(type: unknown, at: At): Rule {
  const names: readonly unknown[] = Array.isArray(type) ? type : [type];
  const tests = names.map((name) => {
    const found = TYPES.get(name);
    if (found === undefined) throw new Error(`a schema names an unknown type "${String(name)}"`);
    return found;
  });
  return (value, walk) => {
    if (tests.some((fits) => fits(value))) return true;
    fail(walk, at, value, { type });
    return false;
  };
}

function kindRule(name: unknown, at: At): Rule {
  const { kind } = at.reading;
  if (kind === undefined) throw new Error(`a schema names the kind "${String(name)}" where no kinds are known`);
  return (value, walk) => {
    const verdict = kind(String(name), value);
    if (verdict !== true) fail(walk, at, value, { kind: name, own: verdict === false ? null : verdict });
    return true;
  };
}

function constRule(expected: unknown, at: At): Rule {
  return (value, walk) => {
    if (!isDeepStrictEqual(value, expected)) fail(walk, at, value, { allowedValue: expected });
    return true;
  };
}

function enumRule(choices: unknown, at: At): Rule {
  const allowed: readonly unknown[] = Array.isArray(choices) ? choices : [];
  return (value, walk) => {
    if (!allowed.includes(value)) fail(walk, at, value, { allowedValues: choices });
    return true;
  };
}

function bound(holds: (value: number, limit: number) => boolean): RuleMaker {
  return (limit, at) => (value, walk) => {
    if (typeof value === 'number' && !holds(value, Number(limit))) fail(walk, at, value, { limit });
    return true;
  };
}

/** `sizeOf` is null for a value of another type, of which the keyword says nothing. */
function size(sizeOf: (value: unknown) => number | null, holds: (has: number, limit: number) => boolean): RuleMaker {
  return (limit, at) => (value, walk) => {
    const has = sizeOf(value);
    if (has !== null && !holds(has, Number(limit))) fail(walk, at, value, { limit });
    return true;
  };
}

/** Code points, as JSON Schema counts. */
function characters(value: unknown): number | null {
  return typeof value === 'string' ? Array.from(value).length : null;
}

function items(value: unknown): number | null {
  return Array.isArray(value) ? value.length : null;
}

function keys(value: unknown): number | null {
  return isMapping(value) ? Object.keys(value).length : null;
}

function patternRule(pattern: unknown, at: At): Rule {
  const compiled = new RegExp(String(pattern), 'u');
  return (value, walk) => {
    if (typeof value === 'string' && !compiled.test(value)) fail(walk, at, value, { pattern });
    return true;
  };
}

function itemsRule(schema: unknown, at: At): Rule {
  const check = at.part(schema);
  return (value, walk) => {
    if (!Array.isArray(value)) return true;
    for (const [index, item] of value.entries()) {
      walk.path.push(index);
      check(item, walk);
      walk.path.pop();
    }
    return true;
  };
}
