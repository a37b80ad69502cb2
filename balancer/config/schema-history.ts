// The parts of the file about what the host remembers of its traffic, and whom it tells of events.
import { Type, type Static } from '../schema/type.ts';
import { choice, duration, formsOf, listOf, mapping, named, optionalMapping, secretOf, valueOf } from './schema-parts.ts';

export const history = optionalMapping(
  {
    maxSize: formsOf<string | 0>(
      'sizeOrZero',
      'Of the file; a quarter is for each step, whose oldest part goes first. 0: nothing is kept',
      '512MiB',
    ),
    maxSeries: Type.Integer({
      minimum: 1,
      maximum: 20_000,
      default: 20_000,
      description: 'Services, versions and clusters with requests at a time; beyond, those with the most are kept',
    }),
  },
  'Figures of the past in `history.sqlite` of the state directory: 1s for 10 minutes, 10s for 6 hours, 1m for 7 days, 1h for 400 days (history.md)',
);

const webhook = mapping(
  {
    url: valueOf('gateUrl', 'Where events are sent with POST'),
    ca: Type.Optional(
      valueOf('file', 'PEM file with the authorities that sign its certificate; absent: those of the system. It is always verified'),
    ),
    headers: named('fieldName', Type.String({ maxLength: 1000, pattern: '^[\\x20-\\x7e]*$', description: 'Value' }), {
      description: 'Other header fields that are sent, none of them a secret',
      default: {},
    }),
    secret: Type.Optional(
      secretOf(
        'Where the keys of signatures are, one a line, each `whsec_` and Base64; the message is signed with every one, so that keys can be changed',
      ),
    ),
    events: listOf(
      valueOf('eventCode', 'Code of events, or the part up to a dot'),
      'Which events, such as `[health, agent.lost]`; empty: all',
      {
        default: [],
      },
    ),
    severity: choice(['info', 'warning', 'critical'], 'And of these only so grave ones, or graver', 'info'),
    timeout: duration('For an answer; without one it is sent again', '10s'),
  },
  'A webhook',
);

export const events = optionalMapping(
  { webhooks: named('name', webhook, { description: 'Who is told of events, by name', default: {} }) },
  'What is told of events (events.md)',
);

export type HistoryFile = Static<typeof history>;
export type EventsFile = Static<typeof events>;
