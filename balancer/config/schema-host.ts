// The host part of the file: what always comes from the file of the host itself.
import { Type, type Static } from '@sinclair/typebox';
import { choice, duration, formsOf, listOf, mapping, named, optionalMapping, valueOf } from './schema-parts.ts';

const certificate = mapping(
  {
    cert: valueOf('file', 'PEM file with the certificate and its chain'),
    key: valueOf('file', 'PEM file with the private key'),
  },
  'A certificate and its key; both files are read again when they change',
);

const listenerTls = mapping(
  {
    certificates: listOf(certificate, 'The certificate is chosen by server name; the first is for clients that send none', { minItems: 1 }),
    minVersion: choice(['TLSv1.2', 'TLSv1.3'], 'The oldest version of TLS that is accepted', 'TLSv1.2'),
  },
  'Terminates TLS here',
);

const listener = mapping(
  {
    bind: valueOf('bind', 'Address and port'),
    tls: Type.Optional(listenerTls),
    trustedPeers: listOf(valueOf('addressBlock', 'Address or CIDR block'), 'Peers whose forwarded fields and request ids are believed', {
      default: [],
    }),
    timeouts: optionalMapping(
      {
        requestHead: duration('From the first byte of a request head to its last', '10s'),
        keepAlive: duration('Between two requests on a kept connection', '75s'),
        requestBody: duration('Between two bytes of a request body', '30s'),
        handshake: duration('A TLS handshake', '10s'),
        write: duration('How long a client may not read its response', '60s'),
      },
      'How long clients may take',
    ),
    limits: optionalMapping(
      {
        headBytes: valueOf('size', 'Largest request head', '32KiB'),
        fields: Type.Integer({ minimum: 1, maximum: 10_000, default: 100, description: 'Most header fields of a request' }),
        connections: Type.Integer({ minimum: 1, default: 20_000, description: 'Most open connections per worker' }),
      },
      'How much clients may ask for',
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
    { name: Type.Optional(valueOf('hostName', 'Name of this edge host in status, metrics and records; default: the host name')) },
    'This edge host',
  ),
  state: optionalMapping(
    { dir: valueOf('file', 'State directory: store, admin socket, last good state', '/var/lib/weir') },
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
        tls: Type.Optional(listenerTls),
        allowPlain: Type.Boolean({ default: false, description: 'Accepts agents without TLS on an address other machines reach' }),
      },
      'Where the agents of the clusters report, over WebSocket',
    ),
  ),
  metrics: Type.Optional(mapping({ bind: valueOf('bind', 'Address and port') }, 'Metrics in the Prometheus format')),
  accessLog: Type.Optional(valueOf('logTarget', 'Where one line per request goes: `stdout`, or a path; absent: nowhere')),
};

type HostProperties = typeof hostProperties;
export type ListenerFile = Static<HostProperties['listeners']>[string];
export type ListenerTlsFile = Static<typeof listenerTls>;
