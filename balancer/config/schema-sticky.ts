// The part of a service in the file that says whether its clients keep their place.
import { Type } from '../schema/type.ts';
import { choice, duration, optionalMapping, valueOf } from './schema-parts.ts';

export const sticky = optionalMapping(
  {
    mode: choice(
      ['none', 'hash', 'cookie'],
      'How a client keeps its place: not at all, by a hash of its key that every host works out alike, or by a signed cookie',
      'none',
    ),
    key: Type.Optional(
      valueOf(
        'keySource',
        'What a client is told apart by: `address`, `header:NAME`, `cookie:NAME` or `query:NAME`. Needed by hash; with cookie it says where a client without one goes. A request without it goes by the split',
      ),
    ),
    scope: choice(['version', 'cluster'], 'What is kept: the version, or also the cluster', 'version'),
    salt: Type.Optional(valueOf('name', 'Services with the same salt divide their clients alike; default: the name of the service')),
    onZero: choice(
      ['drain', 'evict'],
      'What weight 0 means for clients with a cookie: they stay until `drainFor` is over, or lose their place at once. A hash keeps nobody at weight 0',
      'drain',
    ),
    drainFor: duration('How long clients with a cookie stay where the weight is 0', '1h'),
    cookieName: Type.Optional(valueOf('fieldName', 'Name of the cookie; default: weir- and the name of the service')),
    cookieMaxAge: Type.Optional(valueOf('duration', 'How long a client keeps the cookie; default: until it is closed')),
    override: Type.Optional(
      valueOf('fieldName', 'Header field by which trusted peers choose: VERSION or VERSION/CLUSTER; it goes before cookie and hash'),
    ),
  },
  'Clients that keep their place',
);
