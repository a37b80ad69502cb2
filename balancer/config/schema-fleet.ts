// The fleet part of the file: clusters, services and routes.
import { Type, type Static, type Schema } from '../schema/type.ts';
import type { ConfigExtension, ConfigExtensions } from './extension.ts';
import { assign } from './schema-assign.ts';
import { circuit } from './schema-circuit.ts';
import { consumers, credentials } from './schema-consumers.ts';
import { issuers } from './schema-issuers.ts';
import { limits as rateLimits, plans } from './schema-limits.ts';
import { drain } from './schema-drain.ts';
import { endpoints } from './schema-discovery.ts';
import { drills } from './schema-drills.ts';
import { hash, limits, slowStart } from './schema-endpoints.ts';
import { gates } from './schema-gates.ts';
import { headerMatch, queryMatch } from './schema-match.ts';
import { mirror } from './schema-mirror.ts';
import { rollout } from './schema-rollout.ts';
import { safety } from './schema-safety.ts';
import { sticky } from './schema-sticky.ts';
import { regionProperties } from './schema-regions.ts';
import { choice, duration, formsOf, listOf, mapping, mappingOr, named, optionalMapping, valueOf } from './schema-parts.ts';

const health = mapping(
  {
    http: Type.Optional(
      mapping(
        {
          path: valueOf('probePath', 'Path of the request', '/'),
          host: Type.Optional(valueOf('authority', 'Host field of the request; default: the host of the endpoint')),
          statuses: formsOf<string | number | (string | number)[]>('statuses', 'Status codes that count as success', '200-399'),
        },
        'Asks with an HTTP request',
      ),
    ),
    tcp: Type.Optional(Type.Literal(true, { description: 'Opens a connection and closes it; the default', expected: 'true' })),
    interval: duration('From the start of one probe to the next; each is moved by up to a tenth at random', '1s'),
    timeout: duration('How long a probe may take', '500ms'),
    rise: Type.Integer({ minimum: 1, maximum: 100, default: 2, description: 'Successes in a row that bring an endpoint up' }),
    fall: Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'Failures in a row that take it down' }),
  },
  'Active probes',
);

const HEALTH_FORMS = { type: 'string', pattern: '^none$', what: 'a health check', expected: 'a mapping with http or tcp, or none' };

const clusterHttp2 = optionalMapping(
  {
    enabled: Type.Boolean({ default: true, description: 'Whether `https` endpoints are offered HTTP/2 (ALPN)' }),
    streamsPerConnection: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 100,
      description: 'Requests at a time on one connection before another is opened; an endpoint may allow fewer',
    }),
  },
  'HTTP/2 to endpoints',
);

const proxyProtocol = Type.Optional(
  choice(
    ['v1', 'v2'],
    'Version of the PROXY protocol in which connections to the endpoints begin: those of pass-through listeners with the addresses of the client, probes with none. Absent: they begin with what the client sends. Not possible for HTTP, whose connections are shared by clients',
  ),
);

const clusterTls = optionalMapping(
  {
    ca: Type.Optional(
      valueOf('file', 'PEM file with the authorities that are trusted, read again when it changes; default: those of the system'),
    ),
    serverName: Type.Optional(valueOf('serverName', 'Name the certificate must have; default: the host of the endpoint')),
    minVersion: choice(['TLSv1.2', 'TLSv1.3'], 'The oldest version of TLS that is accepted', 'TLSv1.2'),
    cert: Type.Optional(
      valueOf('file', 'PEM file with the certificate that weir shows to endpoints, and its chain; read again when it changes'),
    ),
    key: Type.Optional(valueOf('file', 'PEM file with the private key of `cert`')),
    verify: Type.Boolean({ default: true, description: 'Whether certificates are verified' }),
  },
  'TLS to endpoints with https',
);

const capacity = Type.Optional(
  mapping(
    {
      rps: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1e9, description: 'Requests per second the cluster can take' })),
      ceiling: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          maximum: 1e9,
          description:
            'The most requests per second that are believed of the cluster, whatever its agent says; default: twice `rps`, or none without it',
        }),
      ),
      learn: Type.Boolean({
        default: false,
        description:
          'Whether capacity is also learned: requests per second of this host over the use that the agent reports. Only where this host sends the cluster all it gets',
      }),
    },
    'Capacity; absent: what its agent reports, or no bound',
  ),
);

const agent = optionalMapping(
  {
    certificates: listOf(
      valueOf('certificateName', 'DNS name or URI'),
      'Names of certificates by which its agents may report in place of a token (`agents.tls.clientCertificates`): a DNS name or a URI among the alternative names, such as `agent.eu-west.example` or `spiffe://example/agent/eu-west`',
      { default: [] },
    ),
    prescale: Type.Optional(
      mapping(
        {
          ahead: duration('So long before a step of a rollout, a drill or the end of a timed change', '2m'),
          for: duration('So long it is to be ready, from when the requests come', '10m'),
          most: Type.Optional(
            Type.Number({ exclusiveMinimum: 0, maximum: 1e9, description: 'Never more requests per second of a service than this' }),
          ),
        },
        'Tells the agent when a change, a rollout, a drill or the loss of another cluster brings more requests here, so that it raises autoscalers before they come (`weir agent run --prescale`). Absent: it is told only what operators say (`weir agent expect`)',
      ),
    ),
  },
  'Who may report for the cluster, beside the holders of its tokens, and what its agent is told',
);

const failback = optionalMapping(
  {
    mode: choice(
      ['auto', 'ramp', 'manual'],
      'How the cluster gets its share back after it was down: at once, in a ramp, or when an operator says so (`weir release`)',
      'ramp',
    ),
    window: duration('Length of the ramp, which begins at a tenth', '60s'),
  },
  'After the cluster was down',
);

const cluster = (balances: readonly ConfigExtension[]) =>
  mapping(
    {
      region: Type.Optional(valueOf('name', 'Region of the cluster')),
      endpoints,
      tls: clusterTls,
      health: mappingOr<typeof health, 'none'>(health, HEALTH_FORMS, {
        default: {},
        description: 'Active probes of every endpoint; `none` switches them off, absent means a tcp probe',
      }),
      outlier: optionalMapping(
        {
          consecutive: Type.Integer({ minimum: 1, default: 5, description: 'Failures in a row that eject' }),
          ratio: valueOf('percent', 'Part of the requests of a window that must fail to eject', '50%'),
          minRequests: Type.Integer({ minimum: 1, default: 20, description: 'Requests a window needs before its ratio counts' }),
          window: duration('Length of a window', '1s'),
          baseEjection: duration('First ejection; the n-th lasts n times this, less up to a tenth at random', '5s'),
          maxEjection: duration('Longest ejection', '300s'),
        },
        'Ejection on the evidence of real traffic',
      ),
      capacity,
      agent,
      balance: choice(
        balances.map((balance) => balance.name),
        'How an endpoint of the cluster is chosen',
        balances[0]?.name,
      ),
      hash,
      slowStart,
      limits,
      connectTimeout: duration('How long a connection to an endpoint may take, TLS included', '1s'),
      keepAlive: duration('Idle connections to an endpoint are closed after this', '60s'),
      maxConnections: Type.Integer({
        minimum: 1,
        maximum: 65_535,
        default: 1024,
        description:
          'Connections per worker and endpoint. With all in use a request goes to another endpoint or cluster that has some, else it waits for one for up to connectTimeout, with at most 16 times as many others',
      }),
      http2: clusterHttp2,
      proxyProtocol,
      failback,
      drain,
      lastResort: Type.Boolean({ default: false, description: 'Drained or dialled to 0, it still receives when nothing else is left' }),
    },
    'A Kubernetes cluster as seen from the edge',
  );

const placement = mapping(
  {
    weight: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1e9,
        description: 'Relative to the other clusters of the version; all absent: equal. All or none have it',
      }),
    ),
    priority: Type.Integer({ minimum: 0, maximum: 100, default: 0, description: 'Lower is used first' }),
    host: Type.Optional(valueOf('authority', 'Host field sent upstream; default: the one the client sent')),
  },
  'How the version runs in this cluster',
);

const version = mapping(
  {
    clusters: named('name', placement, { description: 'Clusters it runs in', atLeastOne: '{ eu-west: {} }' }),
    health: Type.Optional(
      mappingOr<typeof health, 'none'>(health, HEALTH_FORMS, { description: 'Probe of this version alone, besides those of its clusters' }),
    ),
  },
  'One release of the service',
);

const service = mapping(
  {
    versions: named('name', version, {
      description: 'Releases of the service, by name',
      atLeastOne: '{ blue: { clusters: { eu-west: {} } } }',
    }),
    split: Type.Optional(
      named('name', Type.Number({ minimum: 0, maximum: 1e9, description: 'Relative to the other versions' }), {
        description:
          'Weights of the versions a service starts with, of any total; a version that is not named gets 0; absent: the first version has all',
      }),
    ),
    steer: optionalMapping(
      {
        policy: choice(
          ['capacity', 'weighted', 'priority', 'nearest'],
          'By what requests are steered to clusters; without any capacity known, capacity behaves as weighted',
          'capacity',
        ),
        panicThreshold: valueOf(
          'percent',
          'With less than this part of its places healthy, and not enough of them to carry all, health is not believed and shares go by intent; 0%: only when none is healthy',
          '0%',
        ),
        overload: choice(
          ['shed', 'spread'],
          'What becomes of requests above the known capacity of all places: the excess is refused with 503, lowest priority class first, or sent all the same',
          'shed',
        ),
      },
      'Steering',
    ),
    onUnavailable: choice(['redistribute', 'fail', 'hold'], 'Where a share goes when its place is gone', 'redistribute'),
    assign,
    mirror,
    sticky,
    rollout,
    timeouts: optionalMapping(
      {
        firstByte: duration('From the end of the request to the first byte of the response', '30s'),
        betweenBytes: duration('Between two bytes of the response', '30s'),
        try: formsOf<string | 0>(
          'tryTimeout',
          'One try, from its begin to the first byte of the response, the connection included. `adaptive`: a request that may be sent twice and has another place to go is tried there after three times the 99th percentile of the latencies of this version in this cluster, 250ms at least; 0: no limit',
          'adaptive',
        ),
        request: formsOf<string | 0>('durationOrZero', 'The whole exchange, all attempts together; 0: no limit', 0),
        tunnelIdle: duration('An upgraded or passed-through connection without a byte either way', '1h'),
      },
      'How long the service may take',
    ),
    circuit,
    retries: optionalMapping(
      {
        attempts: Type.Integer({ minimum: 0, maximum: 10, default: 2, description: 'Attempts beyond the first' }),
        budget: valueOf('percent', 'Retries in work on this host as a part of its requests of the service in work', '20%'),
        budgetMin: Type.Integer({
          minimum: 0,
          default: 3,
          description: 'Retries in work on this host that are allowed whatever the budget, shared out among the workers',
        }),
        on: listOf(
          formsOf<number>('retryStatus', 'Status'),
          'Statuses of answers that are tried in another place of the same version, where the request may be sent twice; the answer waits, and is passed on when nothing better comes. Absent: none',
          { default: [] },
        ),
        hedgeAfter: Type.Optional(
          valueOf(
            'hedgeDelay',
            'When a request without a body that may be sent twice has no answer yet after this, a second attempt goes to another place of the same version, and the first answer counts: a duration, or `p50` to `p99` of the latencies of this version in this cluster. Absent: off',
          ),
        ),
      },
      'Further attempts',
    ),
  },
  'An application behind the balancer',
);

const match = optionalMapping(
  {
    hosts: listOf(
      valueOf('hostPattern', 'Host'),
      'Hosts: exact, or `*.example.com` for all names below; absent: any host. Where TLS is passed through, the server name the client asks for',
      {
        default: [],
      },
    ),
    path: Type.Optional(valueOf('path', 'Path prefix by element: `/api` is for `/api` and `/api/x`, not for `/apix`; default `/`')),
    exact: Type.Optional(valueOf('path', 'The whole path; instead of `path`')),
    regex: Type.Optional(valueOf('regex', 'Pattern the whole path must match; instead of `path`')),
    methods: listOf(valueOf('method', 'Method'), 'Methods; absent: any', { default: [] }),
    headers: headerMatch,
    query: queryMatch,
  },
  'Which requests the route is for; absent: all',
);

const paths = optionalMapping(
  {
    escapedSlashes: choice(
      ['keep', 'reject', 'redirect'],
      '`%2F` and `%5C` in the path: passed on where every reading of the path leads to this route, refused, or redirected to the path with slashes',
      'keep',
    ),
    mergeSlashes: Type.Boolean({ default: true, description: 'Whether `//` in the path becomes `/`' }),
    parameters: choice(
      ['keep', 'reject', 'strip'],
      '`;name=value` in elements of the path: passed on where every reading of the path leads to this route, refused, or left out',
      'keep',
    ),
  },
  'What becomes of paths that origins read in more than one way',
);

const route = (filters: readonly ConfigExtension[]) =>
  mapping(
    {
      name: Type.Optional(
        valueOf('name', 'Name in metrics, logs and status; default: the name of the service, with a number when it is taken'),
      ),
      listeners: listOf(
        valueOf('name', 'Name of a listener'),
        'Listeners the route is for, all of one protocol; absent: all that speak http. A route for a tcp or tls-passthrough listener names it, and has no filters and nothing of HTTP in its match',
        { default: [] },
      ),
      match,
      paths,
      service: valueOf('name', 'Name of the service'),
      priorityClass: choice(
        ['critical', 'high', 'normal', 'low'],
        'Which requests are refused first when the service has more than its places can take: the lowest class',
        'normal',
      ),
      clientCertificate: choice(
        ['none', 'required'],
        'Whether requests must come with a certificate of the client, which the listener has asked for and verified; others get 403, or 421 where the connection was made for another host',
        'none',
      ),
      logged: valueOf(
        'percent',
        'Of its requests, so many may have a line in the access log: 0% for none, not even of those that failed',
        '100%',
      ),
      filters: listOf(filterEntry(filters), 'Steps of the request path, each `{ name: { options } }`', { default: [] }),
    },
    'Requests that match go to the service',
  );

function filterEntry(filters: readonly ConfigExtension[]) {
  const properties: Record<string, Schema> = Object.fromEntries(filters.map((filter) => [filter.name, filter.schema]));
  return Type.Unsafe<Record<string, unknown>>({
    type: 'object',
    properties,
    additionalProperties: false,
    minProperties: 1,
    maxProperties: 1,
    description: 'One filter by its name, with its options',
  });
}

export const fleetProperties = (extensions: ConfigExtensions) => ({
  ...regionProperties,
  safety,
  gates,
  drills,
  clusters: named('name', cluster(extensions.balances), { description: 'Clusters, by name', default: {} }),
  services: named('name', service, { description: 'Services, by name', default: {} }),
  routes: listOf(route(extensions.filters), 'Which request goes to which service; precedence as in the Kubernetes Gateway API', {
    default: [],
  }),
  consumers,
  credentials,
  issuers,
  limits: rateLimits,
  plans,
});

type FleetFile = { [K in keyof ReturnType<typeof fleetProperties>]: Static<ReturnType<typeof fleetProperties>[K]> };
export type ClusterFile = FleetFile['clusters'][string];
export type HealthFile = Static<typeof health>;
export type ServiceFile = FleetFile['services'][string];
export type VersionFile = ServiceFile['versions'][string];
export type RouteFile = FleetFile['routes'][number];
