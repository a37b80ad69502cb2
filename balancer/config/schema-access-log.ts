// The part of the file that says what of requests is logged, and where.
import { Type, type Static } from '../schema/type.ts';
import { FACILITIES } from './log-format.ts';
import { choice, formsOf, listOf, mapping, mappingOr, optionalMapping, valueOf } from './schema-parts.ts';

const form = mapping(
  {
    to: valueOf('logTarget', '`stdout`, a path, `syslog+udp://HOST:514` or `syslog+tcp://HOST:601`'),
    format: Type.Optional(
      valueOf(
        'logFormat',
        'A line with `$NAME` in place of values, such as `$client "$method $path" $status`, and `$field{user-agent}` for fields of the request; absent: one JSON object a line',
      ),
    ),
    sample: valueOf('percent', 'Of the requests that went well, so many have a line', '100%'),
    errors: Type.Boolean({
      default: true,
      description:
        'Whether requests that failed, were answered 5xx, tried more than once or answered by weir itself have their line, whatever `sample` says',
    }),
    rotate: optionalMapping(
      {
        size: formsOf<string | 0>('sizeOrZero', 'A file that has this much is put aside and a new one begun; 0: never', '128MiB'),
        keep: Type.Integer({
          minimum: 0,
          maximum: 1000,
          default: 8,
          description: 'How many older files stay beside it, as NAME.1, NAME.2, …',
        }),
      },
      'Rotation of a file. One that something else moves away is begun anew at most a second later, without a signal',
    ),
    fields: listOf(valueOf('fieldName', 'Header field of requests'), 'Fields of requests that stand in the line, under `fields`', {
      default: [],
    }),
    redact: optionalMapping(
      {
        client: choice(
          ['full', 'truncate', 'omit'],
          'Addresses of clients: as they are, without the last part (/24 of IPv4, /48 of IPv6), or not at all',
          'full',
        ),
        consumer: choice(['full', 'omit'], 'Who has proved to call', 'full'),
        paths: listOf(
          valueOf('redactedPath', 'A path whose elements `*` are not told'),
          'What of paths is not told, such as `/reset/*`; what is behind it stays',
          {
            default: [],
          },
        ),
      },
      'What is never written',
    ),
    syslog: optionalMapping(
      {
        facility: choice(Object.keys(FACILITIES), 'Facility of RFC 5424', 'local0'),
        tag: valueOf('hostName', 'Name of the program in each line', 'weir'),
      },
      'How lines to syslog are labelled',
    ),
  },
  'Where lines of requests go, and what is in them',
);

export const accessLog = mappingOr<typeof form, string>(
  form,
  {
    type: 'string',
    what: 'a target of the access log',
    expected: 'stdout, a path with a slash such as ./access.log, or a mapping with to',
  },
  { description: 'One line for each request (access-log.md); absent: none. A target alone is short for `{ to: … }`' },
);

export type AccessLogFile = Static<typeof form>;
