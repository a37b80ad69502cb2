// The kinds of single values a config file holds: what each is called, what it looks like, how it is checked.
import { EVENTS } from '../event-codes.ts';
import { canonicalTarget } from '../message/canonical-path.ts';
import { parseKeySource } from '../message/request-key.ts';
import { INTERMEDIATE_SUITES, isSuite, knownSuites } from './cipher-suites.ts';
import { isAddressBlock, isAuthority, isHostPattern, parseBind, parseEndpoint, parseNetworkPlace, parseStatuses } from './addresses.ts';
import { isTimeZone, parseCron } from './cron.ts';
import { ABORT_FORMS, parseAbortCondition } from './drill-config.ts';
import { readLimitKey } from './limit-key.ts';
import { isLogTarget, parseFormat, parseRedactedPath } from './log-format.ts';
import { nearest } from './nearest.ts';
import { compilePattern } from './pattern/linear-regex.ts';
import { DURATION_PATTERN, parseDuration, parsePercent, parsePercentile, parseSize, PERCENT_PATTERN, SIZE_PATTERN } from './quantities.ts';

export interface Kind {
  /** With its article: `a duration`. */
  readonly what: string;
  /** Behind "expected …". */
  readonly expected: string;
  /** JSON types, for editors. */
  readonly types: readonly string[];
  /** As far as a regular expression can tell, for editors. */
  readonly pattern?: string;
  /** True, or false, or a message of its own that says more than `what` and `expected`. */
  readonly check: (value: unknown) => boolean | string;
  /** What stands here by mistake may be a secret: problems do not repeat it. */
  readonly secret?: boolean;
}

/** Names of listeners, clusters, services, versions and routes: DNS labels (RFC 1123). */
export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
const WAVE_PATTERN = '^[a-z0-9-]+(\\+[a-z0-9-]+)*$';
/** Header field names and methods (RFC 9110 section 5.6.2). */
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
const ORIGIN_PATTERN = '^(\\*|[a-z][a-z0-9+.-]*://(\\*\\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?)$';
const METHOD_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Z-]+$";
const HOST_NAME_PATTERN = '^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$';

const matches = (pattern: string): ((value: unknown) => boolean) => {
  const compiled = new RegExp(pattern, 'u');
  return (value) => typeof value === 'string' && compiled.test(value);
};

const text = (what: string, expected: string, check: Kind['check']): Kind => ({ what, expected, types: ['string'], check });
const word = (what: string, expected: string, pattern: string): Kind => ({ ...text(what, expected, matches(pattern)), pattern });
const secret = (kind: Kind): Kind => ({ ...kind, secret: true });

const DURATION_EXPECTED = 'for example 500ms, 2s, 5m';

export const KINDS = {
  abortCondition: text(
    'a condition',
    `for example ${ABORT_FORMS}`,
    (value) => typeof value === 'string' && parseAbortCondition(value) !== null,
  ),
  duration: {
    ...word('a duration', DURATION_EXPECTED, DURATION_PATTERN),
    check: (value) => {
      const durationMs = parseDuration(value);
      if (durationMs === 0) return `a duration of 0 is not possible here; expected at least 1ms, ${DURATION_EXPECTED}`;
      return durationMs !== null;
    },
  },
  durationOrZero: {
    what: 'a duration',
    expected: '0, or for example 500ms, 2s, 5m',
    types: ['string', 'integer'],
    pattern: DURATION_PATTERN,
    check: (value) => parseDuration(value) !== null,
  },
  tryTimeout: {
    what: 'a duration',
    expected: 'adaptive, 0, or for example 500ms, 2s',
    types: ['string', 'integer'],
    pattern: `^(adaptive|0|[0-9]+(\\.[0-9]+)?(ms|s|m|h))$`,
    check: (value) => value === 'adaptive' || parseDuration(value) !== null,
  },
  hedgeDelay: {
    what: 'a time to wait for an answer',
    expected: 'for example 250ms, or a percentile p50 to p99',
    types: ['string'],
    pattern: `^(p[5-9][0-9]|[0-9]+(\\.[0-9]+)?(ms|s|m|h))$`,
    check: (value) => parsePercentile(value) !== null || (parseDuration(value) ?? 0) > 0,
  },
  retryStatus: {
    what: 'a status that may be tried elsewhere',
    expected: '429, or 500 to 599',
    types: ['integer'],
    check: (value) => value === 429 || (typeof value === 'number' && Number.isInteger(value) && value >= 500 && value <= 599),
  },
  size: { ...word('a size', 'for example 64KiB, 10MiB', SIZE_PATTERN), check: (value) => (parseSize(value) ?? 0) > 0 },
  sizeOrZero: {
    what: 'a size',
    expected: '0, or for example 64KiB, 10MiB',
    types: ['string', 'integer'],
    pattern: `^(0|[0-9]+(B|KiB|MiB|GiB))$`,
    check: (value) => value === 0 || value === '0' || parseSize(value) !== null,
  },
  percent: { ...word('a percentage', '0% to 100%, for example 20%', PERCENT_PATTERN), check: (value) => parsePercent(value) !== null },
  name: { ...word('a name', 'a DNS label: at most 63 of a-z, 0-9 and -, not - at an end', NAME_PATTERN), check: checkName },
  wave: word('a wave of clusters', 'clusters joined by +, for example eu-west+eu-north', WAVE_PATTERN),
  cron: text(
    'a schedule',
    'minute, hour, day, month and day of the week as in cron, for example "* 18-23 * * fri"',
    (value) => typeof value === 'string' && parseCron(value) !== null,
  ),
  timeZone: text('a time zone', 'a name such as Europe/Berlin or UTC', (value) => typeof value === 'string' && isTimeZone(value)),
  hostName: word('a host name', 'letters, digits, ".", "-" and "_", for example edge-1', HOST_NAME_PATTERN),
  certificateName: word(
    'a name of a certificate',
    'a DNS name without wildcard, or a URI, for example agent.eu-west.example or spiffe://example/agent/eu-west',
    '^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[a-z][a-z0-9+.-]*://[\\x21-\\x7e]{1,2000})$',
  ),
  bind: text(
    'an address to listen on',
    'address:port, for example 0.0.0.0:8080 or [::]:8080; port 0 takes any free one',
    (value) => parseBind(value) !== null,
  ),
  countryCode: word('a country code', 'two capital letters of ISO 3166-1, for example DE', '^[A-Z]{2}$'),
  subdivisionCode: word('a code of a subdivision', 'country and part as in ISO 3166-2, for example US-CA', '^[A-Z]{2}-[A-Z0-9]{1,3}$'),
  continentCode: word('a code of a continent', 'AF, AN, AS, EU, NA, OC or SA', '^(AF|AN|AS|EU|NA|OC|SA)$'),
  placeCode: word(
    'a place',
    'a country (DE), a part of one (US-CA) or a continent (continent:EU)',
    '^([A-Z]{2}|[A-Z]{2}-[A-Z0-9]{1,3}|continent:(AF|AN|AS|EU|NA|OC|SA))$',
  ),
  addressBlock: text('an address block', 'an address or CIDR block, for example 10.0.0.0/8 or 2001:db8::/32', isAddressBlock),
  endpoint: text(
    'the URL of an endpoint',
    'https://host:port, http://host:port, h2c://host:port or tcp://host:port, without a path',
    checkEndpoint,
  ),
  gateUrl: text('a URL', 'http:// or https:// with a host, without a user, for example https://checks.internal/shop', checkUrl),
  redisUrl: text('a URL', 'redis://HOST:PORT or rediss://HOST:PORT, for example rediss://redis.internal:6379', checkRedisUrl),
  networkPlace: text('a host and port', 'for example redis.internal:6379', (value) => parseNetworkPlace(value) !== null),
  jsonPointer: text(
    'a JSON Pointer',
    'a path such as /data/errors, as in RFC 6901',
    (value) => typeof value === 'string' && /^(\/([^~/]|~[01])*)+$/.test(value),
  ),
  hostPattern: text('a host', 'a name such as shop.example.com, or *.example.com for all names below it; without a port', checkHostPattern),
  authority: text('a host', 'a name or address with an optional port, for example shop.internal:8080', isAuthority),
  serverName: text(
    'a name of a certificate',
    'a DNS name, for example gateway.example.com',
    (value) => isAuthority(value) && !String(value).includes(':'),
  ),
  path: text('a path', 'a path that starts with /, without query, for example /api', checkPath),
  probePath: text(
    'a path',
    'a path that starts with /, for example /healthz',
    (value) => typeof value === 'string' && canonicalTarget(value) !== null,
  ),
  regex: text('a regular expression', 'a pattern that can be matched in linear time', checkRegex),
  statuses: {
    what: 'a range of status codes',
    expected: '200, "200-399", or a list of these',
    types: ['string', 'integer', 'array'],
    check: (value) => parseStatuses(value) !== null,
  },
  window: {
    ...word('a window', 'for example 1s, 1m, 24h; day or month for a quota', `^(day|month|[0-9]+(\\.[0-9]+)?(ms|s|m|h))$`),
    check: (value) => value === 'day' || value === 'month' || (typeof value === 'string' && (parseDuration(value) ?? 0) > 0),
  },
  limitKey: text(
    'what requests are counted by',
    'address, consumer, route, host, header:NAME or claim:NAME',
    (value) => typeof value === 'string' && readLimitKey(value) !== null,
  ),
  origin: word('an origin', 'such as https://app.example.com, https://*.example.com or *', ORIGIN_PATTERN),
  queryName: word('a name of a parameter', 'letters, digits, ".", "_", "~" and "-"', '^[A-Za-z0-9._~-]+$'),
  keyHash: secret(
    word(
      'a hash of a key',
      'sha256: and 64 hexadecimal digits, or hmac-sha256: with a pepper; `weir consumer key` makes one',
      '^(hmac-)?sha256:[0-9a-f]{64}$',
    ),
  ),
  passwordHash: secret(
    word(
      'a hash of a password',
      'scrypt:N:r:p:salt:hash; `weir consumer password` makes one',
      '^scrypt:[1-9][0-9]{0,7}:[1-9][0-9]?:[1-9][0-9]?:[A-Za-z0-9+/=]{16,}:[A-Za-z0-9+/=]{40,}$',
    ),
  ),
  scope: word(
    'a scope',
    'visible characters but " and \\, for example orders:read (RFC 6749 section 3.3)',
    '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
  ),
  instant: text(
    'a point in time',
    'a date, or date and time with its zone, for example 2027-01-31 or 2027-01-31T12:00:00Z',
    (value) =>
      typeof value === 'string' &&
      /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(value) &&
      !Number.isNaN(Date.parse(value)),
  ),
  method: word('a method', 'a method in upper case, for example GET', METHOD_PATTERN),
  contentType: word(
    'a content type',
    'for example text/html; charset=utf-8',
    "^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+([ \\t]*;[\\t\\x20-\\x7e]*)?$",
  ),
  fieldName: word('a header field name', 'letters, digits and -, for example x-tenant', TOKEN_PATTERN),
  keySource: text(
    'a key of requests',
    'address, or header:NAME, cookie:NAME or query:NAME, for example header:x-user-id',
    (value) => parseKeySource(value) !== null,
  ),
  cipherSuite: text('a cipher suite', `an OpenSSL name such as ${INTERMEDIATE_SUITES[3] ?? ''}`, checkSuite),
  file: text(
    'a file',
    'a path, absolute or relative to this file',
    (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
  ),
  logTarget: text(
    'a target of the access log',
    'stdout, a path with a slash such as ./access.log, syslog+udp://HOST:514 or syslog+tcp://HOST:601',
    isLogTarget,
  ),
  logFormat: text('a format of lines', 'text with values such as $client and $field{user-agent}', checkFormat),
  redactedPath: text(
    'a path to redact',
    'elements, of which those that are not told are *, for example /users/*',
    (value) => typeof value === 'string' && parseRedactedPath(value) !== null,
  ),
  attributeName: word('a name of an attribute', 'words of a-z, 0-9 and _ with dots between them', '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$'),
  eventCode: text('a code of events', 'for example health, or health.cluster_down (docs/events.md)', checkEventCode),
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

export const isKindName = (name: string): name is KindName => Object.hasOwn(KINDS, name);

const isName = matches(NAME_PATTERN);

function checkName(value: unknown): boolean | string {
  // Names become keys of objects, and this one is there in every object.
  if (value === 'constructor') return '"constructor" is reserved; choose another name';
  return isName(value);
}

function checkEndpoint(value: unknown): boolean | string {
  if (parseEndpoint(value) !== null) return true;
  if (typeof value !== 'string') return false;
  if (/^tcp:\/\/[A-Za-z0-9.-]+\/?$/.test(value))
    return `"${value}" names no port, and tcp has no usual one; write ${value.replace(/\/$/, '')}:PORT`;
  if (/^(https?|h2c|tcp):\/\/[^/?#]*@/.test(value))
    return `the URL of an endpoint has no user or password; expected http://host:port or https://host:port`;
  if (/^[A-Za-z0-9.-]+(:[0-9]+)?$/.test(value))
    return `"${value}" names no scheme; write http://${value} or https://${value}, or tcp://${value} for bytes that are passed through`;
  return false;
}

function checkRedisUrl(value: unknown): boolean | string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password, hostname, pathname, search, hash } = new URL(value);
  if (username !== '' || password !== '') return 'no user and no password in the URL; write username, and password: { file: … }, beside it';
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^(?:\/[0-9]{0,3})?$/.test(pathname) && search === '' && hash === '';
}

function checkUrl(value: unknown): boolean | string {
  const url = typeof value === 'string' && /^https?:\/\//.test(value) ? URL.parse(value) : null;
  if (url === null || url.hash !== '') return false;
  return (
    (url.username === '' && url.password === '') || 'a URL here has no user or password; expected authorization: { file: … } beside it'
  );
}

function checkHostPattern(value: unknown): boolean | string {
  if (value === '*') return '"*" is not needed; leave hosts out to match any host';
  return isHostPattern(value);
}

function checkPath(value: unknown): boolean | string {
  if (typeof value !== 'string') return false;
  const target = canonicalTarget(value);
  if (target === null || target.hasQuery) return false;
  if (target.doubts !== 0)
    return `"${value}" can be read in more than one way; a path that requests are matched by has no //, no ;, no escaped slash and nothing that is escaped twice`;
  // Requests are matched by their canonical path: another spelling would never match.
  return target.path === value || `"${value}" is not how the path is spelled after normalisation; write "${target.path}"`;
}

function checkRegex(value: unknown): boolean | string {
  if (typeof value !== 'string') return false;
  const compiled = compilePattern(value);
  return compiled.ok || `"${value}" is not a pattern that can be used: ${compiled.problem}`;
}

function checkSuite(value: unknown): boolean | string {
  if (typeof value !== 'string' || isSuite(value)) return typeof value === 'string';
  const meant = nearest(value, knownSuites());
  return meant === null ? false : `"${value}" is not a cipher suite that can be used; did you mean "${meant}"?`;
}

function checkEventCode(value: unknown): boolean | string {
  if (typeof value !== 'string') return false;
  const codes = Object.keys(EVENTS);
  const known = [...codes, ...codes.map((code) => code.split('.')[0] ?? '')];
  if (known.includes(value)) return true;
  const meant = nearest(value, known);
  return meant === null ? false : `"${value}" is not a code of events; did you mean "${meant}"?`;
}

function checkFormat(value: unknown): boolean | string {
  if (typeof value !== 'string' || value === '' || /[\x00-\x1f\x7f]/.test(value)) return false;
  const parts = parseFormat(value);
  return typeof parts === 'string' ? parts : true;
}
