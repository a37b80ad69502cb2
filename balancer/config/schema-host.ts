// The host part of the file: what always comes from the file of the host itself.
import { Type, type Static } from '../schema/type.ts';
import { INTERMEDIATE_SUITES } from './cipher-suites.ts';
import { accessLog } from './schema-access-log.ts';
import { events, history } from './schema-history.ts';
import { redis } from './schema-redis.ts';
import { tracing } from './schema-tracing.ts';
import { choice, duration, formsOf, listOf, mapping, named, optionalMapping, valueOf } from './schema-parts.ts';

const certificate = mapping(
  {
    cert: valueOf('file', 'PEM file with the certificate and its chain'),
    key: valueOf('file', 'PEM file with the private key'),
  },
  'A certificate and its key; both files are read again when they change',
);

const serverTls = {
  certificates: listOf(certificate, 'The certificate is chosen by server name; the first is for clients that send none', { minItems: 1 }),
  minVersion: choice(['TLSv1.2', 'TLSv1.3'], 'The oldest version of TLS that is accepted', 'TLSv1.2'),
  ciphers: listOf(
    valueOf('cipherSuite', 'OpenSSL name of a cipher suite'),
    'The cipher suites that are accepted; the client chooses. Default: those of the configuration "intermediate" that Mozilla began',
    { minItems: 1, default: [...INTERMEDIATE_SUITES] },
  ),
};

const clientCertificates = mapping(
  {
    mode: choice(
      ['optional', 'required'],
      'Whether a client may do without one; what is sent must be good in any case. With optional, routes say which requests need one',
      'required',
    ),
    ca: valueOf('file', 'PEM file with the authorities that are trusted; read again when it changes'),
    crl: Type.Optional(
      valueOf(
        'file',
        'PEM file with lists of revoked certificates, one of every authority that signs; read again when it changes, which ends the sessions that could be resumed. While a list is out of date every client that sends a certificate is refused',
      ),
    ),
    forward: choice(
      ['none', 'certificate', 'chain'],
      'What the cluster is told: the field `Client-Cert`, and with `chain` also `Client-Cert-Chain` (RFC 9440). A resumed session has no chain, so with `chain` none is resumed',
      'none',
    ),
  },
  'Certificates of clients',
);

const TERMINATES = 'Terminates TLS here';
const listenerTls = mapping({ ...serverTls, clientCertificates: Type.Optional(clientCertificates) }, TERMINATES);
const agentTls = mapping(
  {
    ...serverTls,
    clientCertificates: Type.Optional(
      mapping(
        {
          mode: choice(
            ['optional', 'required'],
            'Whether an agent may do without one and show a token; what is sent must be good in any case',
            'optional',
          ),
          ca: valueOf('file', 'PEM file with the authorities that are trusted; read again when it changes'),
          crl: Type.Optional(
            valueOf('file', 'PEM file with lists of revoked certificates, one of every authority that signs; read again when it changes'),
          ),
        },
        'Certificates of agents, in place of tokens: `clusters.NAME.agent.certificates` says whose may report for which cluster',
      ),
    ),
  },
  TERMINATES,
);

const proxyProtocol = mapping(
  {
    from: listOf(valueOf('addressBlock', 'Address or CIDR block'), 'The proxies that may send the header; from others it is refused', {
      minItems: 1,
    }),
    required: Type.Boolean({ default: true, description: 'Whether connections without a header are refused, whoever makes them' }),
  },
  'Connections begin with a header of the PROXY protocol, version 1 or 2, before TLS and HTTP. The address in it is the one of the peer from then on',
);

const listener = mapping(
  {
    bind: valueOf('bind', 'Address and port'),
    protocol: choice(
      ['http', 'tcp', 'tls-passthrough', 'readiness'],
      'What is accepted: `http` (over TLS where tls is given); `tcp`, bytes of any kind; `tls-passthrough`, TLS that the endpoint ends, routed by the server name of the client. A connection of these two goes to one endpoint as it is. `readiness` is HTTP without routes: any request is answered with 200 while this host can serve, and with 503 from when it is told to stop (`lameDuck`)',
      'http',
    ),
    tls: Type.Optional(listenerTls),
    proxyProtocol: Type.Optional(proxyProtocol),
    trustedPeers: listOf(valueOf('addressBlock', 'Address or CIDR block'), 'Peers whose forwarded fields and request ids are believed', {
      default: [],
    }),
    timeouts: optionalMapping(
      {
        requestHead: duration('From the first byte of a request head to its last', '10s'),
        keepAlive: duration('Between two requests on a kept connection', '75s'),
        requestBody: duration('Between two bytes of a request body', '30s'),
        handshake: duration(
          'A TLS handshake; where TLS is passed through, the first message of it; before it, the header of the PROXY protocol',
          '10s',
        ),
        write: duration('How long a client may not read its response', '60s'),
      },
      'How long clients may take',
    ),
    limits: optionalMapping(
      {
        headBytes: valueOf('size', 'Largest request head', '32KiB'),
        fields: Type.Integer({ minimum: 1, maximum: 10_000, default: 100, description: 'Most header fields of a request' }),
        connections: Type.Integer({ minimum: 1, default: 20_000, description: 'Most open connections per worker' }),
        connectionsPerAddress: Type.Optional(
          Type.Integer({
            minimum: 1,
            description:
              'Most open connections per worker of one client address, or of one /64 of IPv6; trusted peers are not counted; default: half of `connections`',
          }),
        ),
        requestsPerConnection: Type.Integer({
          minimum: 1,
          default: 10_000,
          description: 'Requests after which a connection is closed, so that clients spread anew',
        }),
        bodyBytes: formsOf<string | 0>('sizeOrZero', 'Largest request body, counted while it streams; 0: no limit', 0),
        bodyRate: formsOf<string | 0>(
          'sizeOrZero',
          'Bytes per second at which a request body must come, after 5 seconds of grace; 0: no limit',
          '240B',
        ),
      },
      'How much clients may ask for',
    ),
    headers: optionalMapping(
      {
        underscores: choice(
          ['drop', 'reject', 'keep'],
          'Request fields with _ in their names, which many origins cannot tell from -: left out, refused with the request, or passed on',
          'drop',
        ),
      },
      'Header fields of requests',
    ),
    http2: optionalMapping(
      {
        enabled: Type.Boolean({ default: true, description: 'By ALPN with TLS, by prior knowledge without' }),
        maxStreams: Type.Integer({ minimum: 1, maximum: 10_000, default: 100, description: 'Most requests of a connection at once' }),
        streamWindow: valueOf('size', 'Most bytes of a request body that wait for its endpoint; 64KiB to 16MiB', '64KiB'),
        connectionWindow: valueOf('size', 'The same for all requests of a connection together; at least streamWindow', '1MiB'),
        resetsPerSecond: Type.Integer({
          minimum: 1,
          maximum: 100_000,
          default: 50,
          description: 'Requests of a connection that may be broken off in the long run; ten times as many at once',
        }),
      },
      'HTTP/2 for clients',
    ),
  },
  'A named address that accepts connections',
);

export const hostProperties = {
  host: optionalMapping(
    {
      name: Type.Optional(valueOf('hostName', 'Name of this edge host in status, metrics and records; default: the host name')),
      region: Type.Optional(valueOf('name', 'Region of this host, from which `nearest` measures (`regions`)')),
    },
    'This edge host',
  ),
  state: optionalMapping(
    {
      dir: valueOf('file', 'State directory: store, admin socket, last good state', '/var/lib/weir'),
      redis: Type.Optional(redis),
    },
    'Where the host keeps its state',
  ),
  workers: Type.Unsafe<number | 'auto'>({
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 1024,
    pattern: '^auto$',
    default: 'auto',
    what: 'a number of workers',
    expected: 'auto, or a number of at least 1',
    description: 'Processes that serve traffic; auto: one per available core',
  }),
  drainDeadline: formsOf<string | 0>('durationOrZero', 'How long a stopping worker lets requests finish', '30s'),
  lameDuck: formsOf<string | 0>(
    'durationOrZero',
    'How long a host that is told to stop serves on as before, while its listeners of protocol `readiness` say that it goes: time for those in front of it to turn away',
    '0s',
  ),
  overloadDelay: formsOf<string | 0>(
    'durationOrZero',
    'How long a turn of the event loop of a busy worker may be in the mean: about a third of what waiting for the worker adds to an answer. Above it requests are refused with 503, the lowest priorityClass first; 0: none are',
    '100ms',
  ),
  hangDeadline: formsOf<string | 0>(
    'durationOrZero',
    'How long a worker or the controller may give no sign of life, of which there is one a second, before it is killed and replaced; at least 3s; 0: for ever',
    '10s',
  ),
  sessionTickets: optionalMapping(
    {
      rotate: duration(
        'How long one key is used for the tickets by which clients resume TLS sessions, with any worker. After it a client that comes back makes one full handshake. 1s to 168h',
        '12h',
      ),
    },
    'Resumption of TLS sessions',
  ),
  listeners: named('name', listener, {
    description: 'Addresses that accept connections, by name',
    atLeastOne: '{ web: { bind: "0.0.0.0:8080" } }',
  }),
  admin: Type.Optional(
    mapping(
      { bind: valueOf('bind', 'Address and port; off loopback it needs tls'), tls: Type.Optional(certificate) },
      'The admin API over TCP, for callers with a token. The unix socket `admin.sock` in the state directory is always there',
    ),
  ),
  agents: Type.Optional(
    mapping(
      {
        bind: valueOf('bind', 'Address and port; off loopback it needs tls or allowPlain'),
        tls: Type.Optional(agentTls),
        allowPlain: Type.Boolean({ default: false, description: 'Accepts agents without TLS on an address other machines reach' }),
      },
      'Where the agents of the clusters report, over WebSocket',
    ),
  ),
  metrics: Type.Optional(mapping({ bind: valueOf('bind', 'Address and port') }, 'Metrics in the Prometheus format')),
  decisionLog: optionalMapping(
    {
      maxSize: formsOf<string | 0>('sizeOrZero', 'Of all files together; the oldest go first. 0: nothing is logged', '64MiB'),
      maxAge: duration('How long they are kept', '168h'),
    },
    'What decisions about shares were made from, in `decisions` of the state directory, for `weir replay` (replay.md)',
  ),
  accessLog: Type.Optional(accessLog),
  tracing: Type.Optional(tracing),
  history,
  events,
};

type HostProperties = typeof hostProperties;
export type ListenerFile = Static<HostProperties['listeners']>[string];
export type ListenerTlsFile = Static<typeof listenerTls>;
export type ServerTlsFile = Static<typeof agentTls>;
