// The part of the file that says what is traced, and where spans go.
import { Type, type Static } from '../schema/type.ts';
import { choice, duration, formsOf, mapping, named, optionalMapping, secretOf, valueOf } from './schema-parts.ts';

const headers = (what: string) =>
  named('fieldName', Type.String({ maxLength: 1000, pattern: '^[\\x20-\\x7e]*$', description: 'Value' }), {
    description: what,
    default: {},
  });

export const tracing = mapping(
  {
    export: mapping(
      {
        url: valueOf('gateUrl', 'Of a collector, with its path, that takes OTLP over HTTP, for example `http://127.0.0.1:4318/v1/traces`'),
        ca: Type.Optional(
          valueOf('file', 'PEM file with the authorities that sign its certificate; absent: those of the system. It is always verified'),
        ),
        authorization: Type.Optional(
          secretOf('Where the value of the field Authorization is, such as "Bearer …"; over https only, except to loopback'),
        ),
        headers: headers('Other header fields that are sent, none of them a secret'),
        timeout: duration('For one batch; what is not taken is sent again for a minute', '10s'),
      },
      'Where spans go: OTLP over HTTP, in JSON',
    ),
    sample: valueOf('percent', 'Of the requests that bring no trace which is gone on with, so many are traced', '1%'),
    parent: choice(
      ['trusted', 'all', 'none'],
      'Whose `traceparent` is gone on with, and whose decision to trace holds: that of `trustedPeers` of the listener, of all clients, or of nobody. For others a new trace begins, which links to theirs',
      'trusted',
    ),
    keep: optionalMapping(
      {
        errors: Type.Boolean({ default: true, description: 'Requests that failed, or were answered 5xx' }),
        slowerThan: formsOf<string | 0>('durationOrZero', 'Requests that took longer; 0: none for being slow', '2s'),
        perSecond: Type.Integer({ minimum: 0, maximum: 10_000, default: 20, description: 'Most of them in a second, per worker' }),
      },
      'Requests that are kept although no sample chose them; what clusters did for them is not known to be kept there',
    ),
    attributes: named('attributeName', Type.String({ maxLength: 1000, description: 'Value' }), {
      description: 'Attributes of the resource, such as `{ deployment.environment.name: production }`',
      default: {},
    }),
  },
  'Traces of requests, by W3C Trace Context (traces.md). Absent: nothing is traced, and what clients say of traces is passed on as it is',
);

export type TracingFile = Static<typeof tracing>;
