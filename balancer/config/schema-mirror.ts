// The part of a service in the file that says which of its requests are copied to another version.
import { Type } from '../schema/type.ts';
import { choice, duration, listOf, mapping, valueOf } from './schema-parts.ts';

const compare = mapping(
  {
    body: Type.Boolean({ default: true, description: 'Whether bodies are compared too, or statuses alone' }),
    ignore: listOf(
      Type.String({ pattern: '^(/[^/]*)+$', what: 'a pointer into JSON', expected: 'for example /updatedAt or /items/*/price' }),
      'What of JSON bodies may differ: pointers such as `/updatedAt`, or `/items/*/price` with `*` for every element',
      { default: [] },
    ),
    maxBody: valueOf('size', 'A longer body is not compared', '64KiB'),
  },
  'Holds answers against those that users got; absent: they are discarded unread',
);

export const mirror = Type.Optional(
  mapping(
    {
      to: valueOf('name', 'The version that gets copies'),
      percent: valueOf('percent', 'Part of the requests with one of `methods` and without a body'),
      methods: listOf(choice(['GET', 'HEAD', 'OPTIONS'], 'Method'), 'Methods that are copied: safe ones', {
        default: ['GET', 'HEAD', 'OPTIONS'],
        minItems: 1,
        expected: 'at least one, such as [GET]',
      }),
      timeout: duration('How long a copy may take, up to the end of its answer', '5s'),
      concurrency: Type.Integer({
        minimum: 1,
        maximum: 10_000,
        default: 16,
        description: 'Copies in work on this host, shared out among the workers; a copy above it is dropped',
      }),
      credentials: choice(['keep', 'drop'], 'Whether `authorization`, `cookie` and `proxy-authorization` go with a copy', 'keep'),
      compare: Type.Optional(compare),
    },
    'Copies of requests to another version: nobody waits for them, and what comes of them is discarded (experiments.md)',
  ),
);
