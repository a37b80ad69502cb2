// Values of several forms: of a union only the form that was meant is complained about, or the union as a whole.
import { fail, isMapping, type At, type Rule, type SchemaFailure, type Walk } from './rule.ts';

/** They tell that a value is of another form altogether, when they fail at the value itself. */
const TELLING: readonly string[] = ['type', 'const', 'enum', 'pattern', 'kind'];

/** `anyOf`. */
export function unionRule(forms: unknown, at: At): Rule {
  const checks = (Array.isArray(forms) ? forms : []).map((form: unknown) => at.part(form, { ...at.reading, defaults: false }));
  return (value, walk) => {
    const meant: (readonly SchemaFailure[])[] = [];
    for (const check of checks) {
      const inner: Walk = { path: [...walk.path], failures: [] };
      check(value, inner);
      if (inner.failures.length === 0) return true;
      const isOther = inner.failures.some(({ keyword, path }) => path.length === walk.path.length && TELLING.includes(keyword));
      if (!isOther) meant.push(inner.failures);
    }
    const [only] = meant;
    if (meant.length === 1 && only !== undefined) walk.failures.push(...only);
    else fail(walk, at, value);
    return true;
  };
}

/** `oneOf` with a `discriminator`: the value itself tells its form. */
export function taggedRule(forms: unknown, at: At): Rule {
  const { discriminator } = at.schema;
  const tag = isMapping(discriminator) ? discriminator['propertyName'] : undefined;
  if (typeof tag !== 'string' || !Array.isArray(forms)) throw new Error('oneOf in a schema needs a list of forms and a discriminator');
  const checks = new Map(forms.map((form: unknown) => [tagOf(form, tag), at.part(form)]));
  return (value, walk) => {
    if (!isMapping(value)) return true;
    const check = checks.get(value[tag]);
    if (check === undefined)
      fail(walk, { ...at, keyword: 'discriminator' }, value, { tag, tagValue: value[tag], tags: [...checks.keys()] });
    else check(value, walk);
    return true;
  };
}

function tagOf(form: unknown, tag: string): unknown {
  const properties = isMapping(form) ? form['properties'] : undefined;
  const schema = isMapping(properties) ? properties[tag] : undefined;
  return isMapping(schema) ? schema['const'] : undefined;
}
