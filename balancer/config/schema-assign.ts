// The part of a service in the file that says which requests go to a version before the split is asked.
import { Type } from '../schema/type.ts';
import { cookieMatch, headerMatch, queryMatch } from './schema-match.ts';
import { listOf, mapping, valueOf } from './schema-parts.ts';

const bucket = mapping(
  {
    key: valueOf(
      'keySource',
      'What users are told apart by: `address`, `header:NAME`, `cookie:NAME` or `query:NAME`. Who has none is in no bucket',
    ),
    from: valueOf('percent', 'Where the bucket begins', '0%'),
    upTo: valueOf('percent', 'Where it ends: a user who is in it stays in it while it grows'),
    salt: Type.Optional(
      valueOf(
        'name',
        'Buckets of the same salt divide users alike; default: the name of the service and -assign, so that they have nothing to do with `sticky`',
      ),
    ),
  },
  'A part of the users, by a hash of their key that every host works out alike',
);

const rule = mapping(
  {
    to: valueOf('name', 'The version that the requests go to'),
    match: mapping(
      { headers: headerMatch, query: queryMatch, cookies: cookieMatch, bucket: Type.Optional(bucket) },
      'Which requests; all conditions must hold, and one must be given',
      { minProperties: 1, expected: 'at least one condition, such as { headers: { x-beta: "1" } }' },
    ),
  },
  'Requests that go to one version',
);

export const assign = listOf(
  rule,
  'Requests that go to a version before the split is asked, whatever the weight of that version: the first rule that holds decides (steering.md)',
  { default: [] },
);
