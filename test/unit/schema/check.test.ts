// Values against schemas: the verdict is that of the reference implementation, and what does not fit is told with its place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { createCheck } from '../../../balancer/schema/check.ts';
import { jsonDecoder } from '../../../balancer/schema/json-decoder.ts';
import { Type } from '../../../balancer/schema/type.ts';

const KEYS = ['a', 'b', 'c'] as const;
const key = fc.constantFrom(...KEYS);
const small = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.5, 2.5));
const text = fc.string({ maxLength: 4, unit: 'binary' }).filter((candidate) => candidate.isWellFormed());

const leaf = fc.oneof(
  fc.record({ type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', ['integer', 'null']) }),
  fc.record({ type: fc.constant('string'), minLength: fc.nat(3) }),
  fc.record({ type: fc.constant('string'), maxLength: fc.nat(3), pattern: fc.constantFrom('^[a-z]*$', '\\p{L}', '.') }),
  fc.record({ minimum: small, exclusiveMaximum: small }),
  fc.record({ type: fc.constant('number'), maximum: small, exclusiveMinimum: small }),
  fc.record({ const: fc.oneof(fc.jsonValue({ maxDepth: 2 }), text) }),
  fc.record({ enum: fc.uniqueArray(fc.oneof(small, text), { minLength: 1, maxLength: 3 }) }),
);

const schema = fc.letrec<{ any: object }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({ type: fc.constant('array'), items: tie('any'), minItems: fc.nat(2), maxItems: fc.nat(3) }),
    fc.record({ anyOf: fc.array(tie('any'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ type: fc.constant('object'), propertyNames: leaf, additionalProperties: tie('any') }),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(key, tie('any')),
        patternProperties: fc.dictionary(fc.constantFrom('^a', '[bc]$'), tie('any')),
        additionalProperties: fc.oneof(fc.boolean(), tie('any')),
        required: fc.uniqueArray(key),
        minProperties: fc.nat(2),
        maxProperties: fc.nat(4),
      },
      { requiredKeys: ['type'] },
    ),
  ),
})).any;

const candidate = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(small, text, fc.boolean(), fc.constant(null), fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'é', '🜁') })),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(key, text), tie('any'), { maxKeys: 4 }),
  ),
})).any;

test('what fits a schema is what the reference implementation of JSON Schema says', () => {
  let fitting = 0;
  fc.assert(
    fc.property(schema, fc.array(candidate, { minLength: 20, maxLength: 20 }), (form, tried) => {
      const [reference, own] = [new Ajv({ strict: false }).compile(form), createCheck({ ...form })];
      for (const value of tried) {
        const expected = reference(value);
        fitting += expected ? 1 : 0;
        assert.equal(own(value).length === 0, expected, JSON.stringify(value));
      }
    }),
    { numRuns: 75, seed: 26 },
  );
  assert.ok(fitting > 50, `${fitting} of 1,500 fit`);
});

test('every failure is told with its place', () => {
  const check = createCheck(
    Type.Object({ list: Type.Array(Type.Object({ size: Type.Integer({ minimum: 1 }) }, { additionalProperties: false })) }),
  );
  const failures = check({ list: [{ size: 0 }, { size: 'big' }, { sise: 3 }] });
  assert.deepEqual(
    failures.map(({ keyword, path, atKey }) => [keyword, path.join('.'), atKey]),
    [
      ['minimum', 'list.0.size', false],
      ['type', 'list.1.size', false],
      ['required', 'list.2', false],
      ['additionalProperties', 'list.2.sise', true],
    ],
  );
});

test('defaults go into each mapping anew, also into one that is itself a default, and never into a union', () => {
  const point = Type.Object({ x: Type.Integer({ default: 1 }), tags: Type.Array(Type.String(), { default: [] }) }, { default: {} });
  const check = createCheck(Type.Object({ first: point, second: point, either: Type.Optional(Type.Union([point, Type.Null()])) }), {
    defaults: true,
  });
  const read: Record<string, Record<string, unknown>> = { first: { x: 7 }, either: {} };
  assert.deepEqual(
    check(read).map(({ keyword, path }) => `${path.join('.')} ${keyword}`),
    ['either required', 'either required'],
    'what is missing inside of the union is missing',
  );
  assert.deepEqual(read, { first: { x: 7, tags: [] }, second: { x: 1, tags: [] }, either: {} });
  assert.notEqual(read['first']['tags'], read['second']['tags']);
});

test('of a union the form that was meant is complained about', () => {
  const check = createCheck(Type.Union([Type.String(), Type.Object({ seconds: Type.Integer() })]));
  assert.deepEqual(check('soon'), []);
  assert.deepEqual(
    check({ seconds: 'two' }).map(({ keyword, path }) => [keyword, ...path]),
    [['type', 'seconds']],
  );
  assert.deepEqual(
    check(5).map(({ keyword }) => keyword),
    ['anyOf'],
  );
});

test('texts are read as numbers and truth values only where they are asked for', () => {
  const check = createCheck(Type.Object({ limit: Type.Integer(), all: Type.Boolean(), name: Type.String() }), { spelled: true });
  const read = { limit: '12', all: 'true', name: '12' };
  assert.deepEqual(check(read), []);
  assert.deepEqual(read, { limit: 12, all: true, name: '12' });
  for (const limit of ['', ' 1', '1e3', '0x10', '1.5', 'NaN', ['1', '2']]) {
    assert.equal(check({ limit, all: 'false', name: '' }).length, 1, `${JSON.stringify(limit)} is no whole number`);
  }
});

test('a keyword that nothing checks is an error of the schema', () => {
  assert.throws(() => createCheck({ type: 'number', multipleOf: 3 })(4), /"multipleOf" in a schema is not checked by anything/);
  assert.throws(() => createCheck({ type: 'numeral' })(4), /unknown type "numeral"/);
  assert.throws(() => createCheck({ kind: 'duration' })('2s'), /kind "duration" where no kinds are known/);
});

test('JSON of another process is its value, or nothing', () => {
  const decode = jsonDecoder(Type.Object({ beat: Type.Number() }));
  assert.deepEqual(decode('{"beat":3,"later":true}'), { beat: 3, later: true });
  assert.equal(decode('{"beat":"3"}'), null);
  assert.equal(decode('{"beat":3'), null);
});
