// Redis, through which the hosts of a fleet share their intent.
import { Type, type Static } from '../schema/type.ts';
import { duration, listOf, mapping, secretOf, valueOf } from './schema-parts.ts';

const nodes = listOf(valueOf('networkPlace', 'Host and port'), 'Those that are asked; one that answers is enough', { minItems: 1 });

export const redis = mapping(
  {
    url: Type.Optional(
      valueOf(
        'redisUrl',
        'One server: `rediss://HOST:PORT` with TLS, `redis://` without; behind it `/1` and so on chooses another database',
      ),
    ),
    sentinel: Type.Optional(
      mapping(
        {
          name: Type.String({ minLength: 1, description: 'What the Sentinels call the primary' }),
          nodes,
          password: Type.Optional(secretOf('What the Sentinels want to hear')),
        },
        'In place of url: the primary that Sentinels name',
      ),
    ),
    cluster: Type.Optional(mapping({ nodes }, 'In place of url: a Redis Cluster. All keys of a fleet are in one slot')),
    username: Type.Optional(Type.String({ minLength: 1, description: 'ACL user; least rights are in fleet.md' })),
    password: Type.Optional(secretOf('The password')),
    tls: Type.Optional(
      mapping(
        {
          ca: Type.Optional(valueOf('file', 'PEM file with the authorities that are trusted; default: those of the system')),
          serverName: Type.Optional(valueOf('hostName', 'Name the certificate must be for; default: the host')),
        },
        'TLS to Redis; with a url, `rediss://` turns it on',
      ),
    ),
    keyFile: valueOf(
      'file',
      'File with the keys of the fleet, base64, at least 32 bytes, one a line: the first signs what this host leaves in Redis, all are good to verify what others left. Make one with `openssl rand -base64 32`',
    ),
    fleet: valueOf('name', 'What the fleet is called in Redis: hosts with the same name there are one fleet', 'weir'),
    timeout: duration('For an answer of Redis', '500ms'),
    limitTimeout: duration(
      'For an answer of Redis to a question for a limit with `scope: fleet`: so long a request may wait, once; then `onStoreError` holds until Redis answers again. At most 500ms',
      '50ms',
    ),
  },
  'Makes this host one of a fleet (fleet.md); absent: it is alone',
);

export type RedisFile = Static<typeof redis>;
