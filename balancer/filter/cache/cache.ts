// Filter cache: answers from what endpoints said before, as long as that holds (RFC 9111, as a shared cache).
import { Type, type Static } from '../../schema/type.ts';
import { durationMs, sizeBytes } from '../../config/quantities.ts';
import { choice, formsOf, listOf, mapping, valueOf } from '../../config/schema-parts.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import type { FilterDefinition } from '../filter.ts';
import type { StaleRules } from './stale-rules.ts';
import { ResponseCache, type CacheOptions } from './response-cache.ts';

/** What may be stored without a word about how long it holds (RFC 9110 section 15.1), and others that pages are often sent with. */
const STATUSES: readonly number[] = [200, 203, 300, 301, 308, 404, 410, 414, 501];
/** They have no body of their own, or not all of one. */
const NEVER: ReadonlySet<number> = new Set([204, 205, 206, 304]);

/** Requests that wait take memory. */
const LONGEST_WAIT_MS = 60_000;

const schema = mapping(
  {
    size: valueOf(
      'size',
      'Memory for the responses of this route, in each worker; beyond it those that nobody asked for the longest go',
      '64MiB',
    ),
    maxObject: valueOf('size', 'Largest body that is stored; at most a quarter of size', '1MiB'),
    defaultFreshness: formsOf<string | 0>(
      'durationOrZero',
      'How long responses hold that do not say so, to requests without cookies and credentials; 0: they are not stored',
      0,
    ),
    statuses: listOf(Type.Integer({ minimum: 200, maximum: 599, description: 'Status' }), 'Statuses of responses that are stored', {
      default: [...STATUSES],
      minItems: 1,
    }),
    wait: formsOf<string | 0>(
      'durationOrZero',
      'How long requests wait at most for another one that has gone to the service for the same; 0: each goes',
      '1s',
    ),
    staleWhileRevalidate: formsOf<string | 0>(
      'durationOrZero',
      'How long responses that do not say so are served behind their end, while one request asks the service for what holds; 0: not at all',
      0,
    ),
    staleIfError: formsOf<string | 0>(
      'durationOrZero',
      'How long responses that do not say so are served behind their end where the service fails or cannot be reached; 0: not at all',
      0,
    ),
    maxStale: formsOf<string | 0>('durationOrZero', 'The most of both, whatever responses say; 0: nothing is served behind its end', '24h'),
    callers: choice(
      ['apart', 'together'],
      'Callers that a filter or a certificate has proved: apart, each gets only what was answered to itself; together, all get the same',
      'apart',
    ),
  },
  'Options of cache',
);

type File = Static<typeof schema>;

export const cache: FilterDefinition = {
  name: 'cache',
  summary: 'Answers from memory what the service said before and lets others have.',
  schema,
  example: '{ size: 128MiB, maxObject: 4MiB }',
  answers: ['not_stored'],
  notes: [
    'It is a shared cache as RFC 9111 describes it. Stored are complete answers to GET that say how long they hold (`s-maxage`, `max-age`, `expires`), less the age they came with; ' +
      'others only where `defaultFreshness` gives them a time. Never stored: `no-store`, `private`, answers with `set-cookie`, parts of a body, bodies whose end only the end of the connection tells, ' +
      'answers with `vary: *` or that vary by what is another one for each request (`x-forwarded-for`). Answers to requests with credentials only if they say `public`, `s-maxage` or `must-revalidate`.',
    'Responses are told apart by scheme, host and port, path and query as the client asked for them, by what `rewrite` makes of these, by the caller, and by the fields that the answer names in `vary`, as the service sees ' +
      'them. A trusted peer may tell the service of another URL (`x-forwarded-host`, `x-original-url`): that counts too; from strangers such fields never arrive. What else the file sends to the service for one client ' +
      'alone, such as `${client.address}` in a field, does not count unless the answer names it in `vary`. A request with a body, or that names another method, is never answered from memory.',
    'A hit has `age`, and every answer to GET and HEAD says in `cache-status` (RFC 9211) where it came from. HEAD, ranges (`range`, `if-range`) and `if-none-match`, `if-modified-since` are answered from the stored body. ' +
      'Clients may ask for something newer by `cache-control` (`no-cache`, `max-age`, `min-fresh`), and for nothing but what is stored by `only-if-cached`. ' +
      'What does not hold any more (or never did: `no-cache`, `max-age=0`) is served in the two cases below only; where it has an `etag` or `last-modified` ' +
      'the service is asked whether it has changed, and its 304 makes it hold anew. A hit passes all filters of the route: limits count it, and it is compressed for its client. The plan, its shares and gates of rollouts do not see it.',
    'What has come to its end may be served for a time all the same (RFC 5861). With `stale-while-revalidate=N` in its `cache-control`, or `staleWhileRevalidate` of the file where it says nothing, it is the answer while one request that no client ' +
      'waits for goes to the service, in each worker for each variant: on the way of every request, with its retries, circuit and time-outs, counted as a request of the service and logged under the id of the client with `.refresh` behind it; after one that failed, at most one a second. With `stale-if-error=N`, or ' +
      '`staleIfError`, it is the answer where the service says 500, 502, 503 or 504, cannot be reached, does not answer in time, has an open circuit or no healthy cluster; the error is counted as the one it is. `cache-status` says so ' +
      '(`hit; ttl=-5; detail="stale-while-revalidate"`, `fwd=stale; fwd-status=503; ttl=-5; detail="stale-if-error"`). Neither is for answers that say `must-revalidate`, `proxy-revalidate`, `no-cache` or `s-maxage`, which for a shared cache means the same ' +
      '(RFC 9111 sections 4.2.4 and 5.2.2.10), nor for longer than `maxStale`, nor for clients that ask for something newer; an answer that is stored no more takes the old one with it.',
    '`weir cache purge` drops what is stored by URL, by the beginning of a path, by tag, by route or all of it, on every host of the fleet; when it returns nobody gets anything that is older, and what was on its way then is not stored. Tags are what the service names in ' +
      '`cache-tag` (divided by commas) or `surrogate-key` (by blanks), up to 100 of 256 characters; clients never see these fields, and an answer with more is not stored, since a purge could miss it. With `--soft` what is stored ends in place of going. ' +
      '`weir get cache` shows what each route has.',
    'Of requests for the same that is not stored, one goes to the service in each worker and the others wait for what it gets, at most for `wait`. They wait no longer than until its head says that the answer is not ' +
      'stored or not for them, and where that was so nobody waits for the next ten seconds.',
    'An answer 2xx or 3xx to any other method (`POST`, `PUT`, `PATCH`, `DELETE`) drops what is stored for its URL in the same worker, on all routes, and what is on its way is not stored. Each worker has a memory of its own ' +
      '([why](../decisions/0023-each-worker-has-its-own-cache.md)): another one may serve what it has until it comes to its end, so let answers that change by requests hold for a short time only, or purge them. ' +
      'A reload keeps what is stored, unless the service or the filters of the route changed. Bodies on their way to be stored take up to a quarter of `size` besides.',
  ],
  problem(options) {
    const { statuses } = options as File;
    const never = statuses.find((status) => NEVER.has(status));
    return never === undefined ? null : `cache: an answer ${never} has no whole body that could be stored; leave it out of statuses`;
  },
  complete(options, place) {
    const { size, maxObject, defaultFreshness, statuses, wait, callers } = options as File;
    const stale = staleRulesOf(options as File, place);
    const [storeBytes, objectBytes] = [sizeBytes(size), sizeBytes(maxObject)];
    if (objectBytes * 4 > storeBytes)
      place.report(['maxObject'], `${maxObject} is more than a quarter of size (${size}); expected less, or a larger size`);
    const defaultMs = durationMs(defaultFreshness);
    const waitMs = durationMs(wait);
    if (waitMs > LONGEST_WAIT_MS) place.report(['wait'], `requests that wait take memory; expected at most ${LONGEST_WAIT_MS / 1000}s`);
    return { storeBytes, objectBytes, defaultMs, statuses, waitMs, together: callers === 'together', stale } satisfies CacheOptions;
  },
  create: (options, environment) => new ResponseCache(options as CacheOptions, environment),
};

function staleRulesOf({ staleWhileRevalidate, staleIfError, maxStale }: File, place: OptionsPlace): StaleRules {
  const mostMs = durationMs(maxStale);
  const times = { staleWhileRevalidate, staleIfError };
  for (const [key, value] of Object.entries(times))
    if (durationMs(value) > mostMs)
      place.report([key], `${value} is more than maxStale (${maxStale}); expected at most that, or a longer maxStale`);
  return { revalidatingMs: durationMs(staleWhileRevalidate), failingMs: durationMs(staleIfError), mostMs };
}
