// Filter redirect: the client is sent elsewhere; the service is not asked.
import { Type, type Static } from '../schema/type.ts';
import { mapping, valueOf } from '../config/schema-parts.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { FilterDefinition } from './filter.ts';
import { prefixOf, withPrefix } from './path-prefix.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

const schema = mapping(
  {
    scheme: Type.Optional(
      Type.Union([Type.Literal('http'), Type.Literal('https')], {
        description: 'Another scheme, http or https',
        what: 'a scheme',
        expected: 'http or https',
      }),
    ),
    host: Type.Optional(valueOf('serverName', 'Another host')),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'Another port; default: that of the request, or none with another scheme' }),
    ),
    path: Type.Optional(valueOf('path', 'Another path')),
    prefix: Type.Optional(prefixOf('Another beginning of the path')),
    query: Type.Boolean({ default: true, description: 'Whether the query goes along' }),
    status: Type.Union(
      [301, 302, 303, 307, 308].map((status) => Type.Literal(status)),
      {
        default: 308,
        description: '301 and 302 let clients ask with GET, 303 makes them, 307 and 308 keep the method; 301 and 308 may be remembered',
        what: 'a status of a redirect',
        expected: '301, 302, 303, 307 or 308',
      },
    ),
  },
  'Options of redirect; what is not named stays as it is',
);

type Options = Static<typeof schema>;

export const redirect: FilterDefinition = {
  name: 'redirect',
  summary: 'Sends the client elsewhere.',
  schema,
  example: '{ scheme: https }',
  problem(options) {
    const { scheme, host, port, path, prefix } = options as Options;
    if (path !== undefined && prefix !== undefined) return 'redirect: path and prefix stand together; keep one of them';
    const named = [scheme, host, port, path, prefix].some((part) => part !== undefined);
    return named
      ? null
      : 'redirect: nothing is changed, so clients would be sent around in a circle; name one of scheme, host, port, path and prefix';
  },
  create(options) {
    const given = options as Options;
    return {
      onRequest(request) {
        const location = locationOf(request, given);
        // A redirect to itself never ends.
        if (location === `${request.scheme}://${request.authority}${request.path}${request.hasQuery ? `?${request.query}` : ''}`)
          return undefined;
        return { status: given.status, fields: ['location', location], body: '' };
      },
    };
  },
};

function locationOf(request: CanonicalRequest, { scheme = request.scheme, host, port, path, prefix, query }: Options): string {
  const written = /:(\d+)$/.exec(request.authority)?.[1];
  const kept = written === undefined || scheme !== request.scheme ? undefined : Number(written);
  const toPort = port ?? kept;
  const authority = `${host ?? bare(request.authority)}${toPort === undefined || toPort === DEFAULT_PORTS[scheme] ? '' : `:${toPort}`}`;
  const toPath = path ?? (prefix === undefined ? request.path : withPrefix(request.path, prefix));
  return `${scheme}://${authority}${toPath}${query && request.hasQuery ? `?${request.query}` : ''}`;
}

/** Without its port; an address of IPv6 keeps its brackets. */
const bare = (authority: string): string => authority.replace(/:\d+$/, '');
