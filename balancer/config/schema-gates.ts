// The gates of the file that ask something else than weir's own counters.
import { Type, type Static } from '../schema/type.ts';
import { duration, formsOf, mapping, named, secretOf, valueOf } from './schema-parts.ts';

const gate = mapping(
  {
    http: Type.Optional(
      mapping(
        {
          url: valueOf('gateUrl', 'What is fetched with GET; `$service` and `$version` in it are the names of the rollout'),
          status: formsOf<string | number | (string | number)[]>('statuses', 'Statuses that are good, such as `"200-299"`', '200-299'),
          value: Type.Optional(
            valueOf('jsonPointer', 'Where in the answer the figure is. Without it the status is the verdict and there is no bound'),
          ),
        },
        'Asks a URL',
      ),
    ),
    prometheus: Type.Optional(
      mapping(
        {
          url: valueOf('gateUrl', 'Of the HTTP API, up to and without `/api/v1`'),
          query: Type.String({
            minLength: 1,
            maxLength: 8000,
            description: 'PromQL, of which every element has to be good; `$service` and `$version` in it are the names of the rollout',
          }),
        },
        'Asks Prometheus, or what has its HTTP API, for an instant query',
      ),
    ),
    below: Type.Optional(Type.Number({ description: 'A good figure is below this' })),
    above: Type.Optional(Type.Number({ description: 'A good figure is above this' })),
    every: duration('How often it is asked, at least 1s; one question never overlaps with the one before', '10s'),
    timeout: duration('For the whole answer', '5s'),
    failures: Type.Integer({ minimum: 1, maximum: 100, default: 1, description: 'So many bad answers in a row are a failure' }),
    authorization: Type.Optional(
      secretOf('Where the value of the field Authorization is, such as "Bearer …"; over https only, except to loopback'),
    ),
    headers: named('fieldName', Type.String({ maxLength: 1000, pattern: '^[\\x20-\\x7e]*$', description: 'Value' }), {
      description: 'Other header fields that are sent, none of them a secret, such as `{ x-scope-orgid: shop }`',
      default: {},
    }),
    ca: Type.Optional(
      valueOf('file', 'PEM file with the authorities that sign its certificate; absent: those of the system. It is always verified'),
    ),
  },
  'A gate of rollouts that asks: one of `http` and `prometheus`',
);

export const gates = named('name', gate, {
  description: 'Gates that ask something else than weir itself, by the name that rollouts give them (rollouts.md)',
  default: {},
});

export type GateFile = Static<typeof gate>;
