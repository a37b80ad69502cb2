// Conditions on values of a request, as routes and services state them.
import { Type, type Static } from '../schema/type.ts';
import { mapping, mappingOr, named, valueOf } from './schema-parts.ts';

const valueMatch = mappingOr<ReturnType<typeof valueConditions>, string>(
  valueConditions(),
  { type: 'string', what: 'a condition', expected: 'a text that must be equal, { regex: … } or { present: true | false }' },
  { minProperties: 1, maxProperties: 1, description: 'A text that must be equal, `{ regex: … }`, or `{ present: true }` or `false`' },
);

function valueConditions() {
  return mapping(
    {
      regex: Type.Optional(valueOf('regex', 'Pattern the whole value must match')),
      present: Type.Optional(Type.Boolean({ description: 'Whether it must be there, or must not' })),
    },
    'A condition on a value',
  );
}

export const headerMatch = Type.Optional(named('fieldName', valueMatch, { description: 'Conditions on header fields; all must hold' }));

export const queryMatch = Type.Optional(
  Type.Unsafe<Record<string, string | { regex?: string; present?: boolean }>>({
    type: 'object',
    additionalProperties: valueMatch,
    description: 'Conditions on query parameters, compared after percent-decoding; all must hold',
  }),
);

export const cookieMatch = Type.Optional(
  named('fieldName', valueMatch, { description: 'Conditions on cookies, compared as they are written; all must hold' }),
);

export type ValueMatchFile = Static<typeof valueMatch>;
