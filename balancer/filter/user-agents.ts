// Filter userAgents: which programs may call, by what they call themselves; for those that do not lie.
import { Type, type Static } from '../schema/type.ts';
import { compilePattern } from '../config/pattern/linear-regex.ts';
import { choice, listOf, mapping, valueOf } from '../config/schema-parts.ts';
import { fieldValue } from '../message/fields.ts';
import type { FilterDefinition, Refusal } from './filter.ts';

const pattern = Type.Optional(valueOf('regex', 'Pattern of the whole value, in lower case'));

const schema = mapping(
  {
    rules: listOf(
      mapping({ allow: pattern, deny: pattern }, 'A pattern, allowed or denied', { minProperties: 1, maxProperties: 1 }),
      'The first one that fits decides',
      {
        minItems: 1,
      },
    ),
    otherwise: choice(['allow', 'deny'], 'What holds for programs that fit no rule', 'allow'),
    missing: choice(['allow', 'deny'], 'What holds for requests without the field', 'allow'),
  },
  'Options of userAgents',
);

type Options = Static<typeof schema>;

export const userAgents: FilterDefinition = {
  name: 'userAgents',
  summary: 'Lets programs on or refuses them, by their `User-Agent`.',
  schema,
  example: '{ rules: [{ allow: "goodbot/.*" }, { deny: ".*(bot|crawler|spider).*" }] }',
  answers: ['access_denied'],
  notes: [
    'The field is looked at in lower case and at most in its first 1024 characters; a pattern fits the whole of it and takes linear time, whatever a client sends ' +
      '([patterns](../config.md#patterns)). Whoever wants to call itself otherwise does: this keeps away what is honest, and is no protection.',
  ],
  create(options) {
    const { rules, otherwise, missing } = options as Options;
    const compiled = rules.map(({ allow, deny }) => {
      const result = compilePattern(allow ?? deny ?? '');
      if (!result.ok) throw new Error(`userAgents: ${result.problem}`);
      return { regex: result.regex, allowed: allow !== undefined };
    });
    return {
      onRequest({ fields }) {
        const given = fieldValue(fields, 'user-agent') ?? '';
        if (given === '') return missing === 'allow' ? undefined : refused('it does not say what it is');
        const name = given.slice(0, LONGEST).toLowerCase();
        const rule = compiled.find(({ regex }) => regex.test(name));
        return (rule?.allowed ?? otherwise === 'allow')
          ? undefined
          : refused(rule === undefined ? 'no rule allows it' : 'a rule denies it');
      },
    };
  },
};

const LONGEST = 1024;

const refused = (why: string): Refusal => ({ code: 'access_denied', detail: `the program: ${why}`, fields: [] });
