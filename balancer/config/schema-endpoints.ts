// The part of a cluster in the file that says how requests are spread over its endpoints.
import { Type } from '../schema/type.ts';
import { duration, formsOf, optionalMapping, valueOf } from './schema-parts.ts';

export const hash = optionalMapping(
  {
    key: valueOf(
      'keySource',
      'What a request is told apart by: `address` (of the client), `header:NAME`, `cookie:NAME` or `query:NAME`. A request without it goes anywhere',
      'address',
    ),
    factor: Type.Number({
      minimum: 1.25,
      maximum: 2,
      default: 1.25,
      description: 'An endpoint with more than this many times the mean of requests in work hands keys on to others',
    }),
  },
  'What the policy consistent-hash goes by',
);

export const slowStart = optionalMapping(
  {
    window: formsOf<string | 0>(
      'durationOrZero',
      'How long an endpoint that is new, up again or back from an ejection takes to get its whole part of the requests; 0: it has it at once',
      0,
    ),
    minimum: valueOf('percent', 'What it begins with', '10%'),
    aggression: Type.Number({
      minimum: 0.1,
      maximum: 10,
      default: 1,
      description: 'Its part is (time / window) ^ (1 / aggression): 1 is a line, more is faster at first',
    }),
  },
  'Endpoints that begin',
);

export const limits = optionalMapping(
  {
    requests: Type.Integer({
      minimum: 0,
      maximum: 1e6,
      default: 0,
      description: 'Requests of this host in work on the cluster; 0: no limit',
    }),
    requestsPerEndpoint: Type.Integer({
      minimum: 0,
      maximum: 1e6,
      default: 0,
      description: 'The same for each of its endpoints. Both are divided among the workers, each has at least 1; 0: no limit',
    }),
    queue: optionalMapping(
      {
        length: Type.Integer({
          minimum: 0,
          maximum: 10_000,
          default: 100,
          description: 'Requests of this host that wait for room, divided among the workers; what is above is refused with 503 at once',
        }),
        time: duration('How long one waits before it is refused with 503', '100ms'),
      },
      'What becomes of requests above a limit',
    ),
  },
  'Bounds on requests in work',
);
