// The part of the file's schema that says how often somebody may ask.
import { Type, type Static } from '../schema/type.ts';
import { choice, listOf, mapping, named, optionalMapping, valueOf } from './schema-parts.ts';

const limit = mapping(
  {
    by: listOf(
      valueOf('limitKey', 'Key part'),
      'What the requests of one counter have in common: `address` (of the client, an IPv6 client by its /64), `consumer`, `route`, `host`, `header:NAME`, `claim:NAME`. Absent: all requests are counted together. Who has no consumer, claim or field is counted by the address',
      { default: [] },
    ),
    allow: Type.Integer({
      minimum: 1,
      maximum: 1e9,
      description:
        'Requests in `per`, or at once, on this host or, with `scope: fleet`, on all hosts together; `plans` say otherwise for their callers',
    }),
    per: Type.Optional(
      valueOf(
        'window',
        'The window, at least 1s and at most 24h, default 1m; or `day` or `month` for a quota: each day or month of UTC, counted in the store, so that it outlives restarts',
      ),
    ),
    algorithm: Type.Optional(
      choice(
        ['sliding', 'fixed', 'token', 'concurrency'],
        '`sliding`, the default: any stretch of `per`, from the counts of the window and the one before; `fixed`: each window of the clock, as a quota has it; `token`: evenly, with `burst` at once; `concurrency`: so many at once, without `per`',
      ),
    ),
    burst: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1e9, description: 'With `token`: requests that may come at once; default: as many as `allow`' }),
    ),
    scope: choice(
      ['host', 'fleet'],
      '`host`: each host counts for itself; `fleet`: all hosts of a fleet count together, in the Redis of `state.redis`',
      'host',
    ),
    mode: Type.Optional(
      choice(
        ['lease', 'exact'],
        'With `scope: fleet`. `lease`, the default: hosts take requests in advance, so that few requests wait; up to 5 % of the limit may be refused too early. `exact`: Redis is asked for each request that comes alone, and once for those that come together',
      ),
    ),
    onStoreError: Type.Optional(
      choice(
        ['local', 'allow', 'deny'],
        'With `scope: fleet`, while Redis cannot be asked. `local`, the default: this host counts alone with its part of the limit; `allow`: all pass; `deny`, the default of quotas: 503',
      ),
    ),
    onUnavailable: Type.Optional(
      choice(
        ['local', 'allow', 'deny'],
        'While the controller cannot be asked. `local`, the default: each worker counts alone with its part of the limit; `allow`: all pass; `deny`, the default of quotas: 503',
      ),
    ),
    shadow: Type.Boolean({ default: false, description: 'Count, and refuse nobody: to see in metrics what a limit would do' }),
    exempt: optionalMapping(
      {
        consumers: listOf(valueOf('name', 'Consumer'), 'Consumers', { default: [] }),
        addresses: listOf(valueOf('addressBlock', 'Block'), 'Blocks of client addresses', { default: [] }),
      },
      'Whom it is not for',
    ),
    headers: choice(
      ['draft-11', 'draft-7', 'draft-3', 'none'],
      'Fields of the answer that tell what is left: `ratelimit` and `ratelimit-policy` of draft-ietf-httpapi-ratelimit-headers-11, or of its seventh version, or `ratelimit-limit`, `-remaining` and `-reset` of its third',
      'draft-11',
    ),
  },
  'A limit; routes name it in the filters addressLimit and rateLimit, and all that name it share its counters',
);

export const limits = named('name', limit, { description: 'How often somebody may ask, by name', default: {} });

const plan = mapping(
  {
    limits: named('name', Type.Integer({ minimum: 1, maximum: 1e9, description: 'In place of its `allow`' }), {
      description: 'Limits that count by consumer, with what callers of the plan may',
    }),
  },
  'What callers of a plan may; what it does not name holds for them as for all',
);

export const plans = named('name', plan, { description: 'What consumers with a `plan` may, by its name', default: {} });

export type PlansFile = Static<typeof plans>;
export type LimitsFile = Static<typeof limits>;
