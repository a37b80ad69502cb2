// What the admin API accepts of callers, as schemas. What one of them may be called, and who there is, is the intent's to check.
import { Type } from '../../schema/type.ts';

const strict = { additionalProperties: false } as const;
const Word = Type.String({ maxLength: 255 });
const Words = Type.Array(Word, { maxItems: 100 });
const Time = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 40 });

export const CALLER_CHANGES = [
  Type.Object(
    {
      kind: Type.Literal('consumer_add'),
      consumer: Word,
      profile: Type.Object({ groups: Words, scopes: Words, tags: Words, plan: Word }, strict),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('consumer_set'),
      consumer: Word,
      profile: Type.Object(
        { groups: Type.Optional(Words), scopes: Type.Optional(Words), tags: Type.Optional(Words), plan: Type.Optional(Word) },
        strict,
      ),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('consumer_remove'), consumer: Word }, strict),
  Type.Object(
    {
      kind: Type.Literal('key_issue'),
      consumer: Word,
      id: Word,
      hash: Word,
      expiresAt: Time,
      from: Words,
      scopes: Words,
      othersExpireAt: Time,
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('key_revoke'), consumer: Word, id: Word }, strict),
] as const;
