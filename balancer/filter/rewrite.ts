// Filter rewrite: path, query and host as the cluster sees them. Everything else, logs too, goes by what the client asked for.
import { Type, type Static } from '../schema/type.ts';
import { listOf, mapping, named, optionalMapping, valueOf } from '../config/schema-parts.ts';
import type { FilterDefinition } from './filter.ts';
import { patternOf, patternProblem, rewriting } from './path-pattern.ts';
import { prefixOf, withPrefix } from './path-prefix.ts';

const name = { minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9._~-]+$' };

const schema = mapping(
  {
    path: Type.Optional(valueOf('path', 'Another path')),
    prefix: Type.Optional(prefixOf('Another beginning of the path')),
    pattern: Type.Optional(patternOf('Another path, made of elements of the one that was asked for; where it does not fit the path stays')),
    host: Type.Optional(valueOf('authority', 'Another host; that of a placement of the version counts before it')),
    query: optionalMapping(
      {
        set: named('queryName', Type.String({ maxLength: 1024, description: 'Value' }), {
          description: 'Parameters to set, in place of any of that name',
          default: {},
        }),
        remove: listOf(Type.String({ ...name, description: 'Name' }), 'Parameters to take out', { default: [] }),
      },
      'Edits of the query',
    ),
  },
  'Options of rewrite; what is not named stays as it is',
);

type Options = Static<typeof schema>;

export const rewrite: FilterDefinition = {
  name: 'rewrite',
  summary: 'Changes path, query and host that the cluster gets to see.',
  schema,
  example: '{ prefix: { from: /api/v1, to: /v1 } }',
  problem(options) {
    const { path, prefix, pattern } = options as Options;
    const given = Object.entries({ path, prefix, pattern }).flatMap(([key, value]) => (value === undefined ? [] : [key]));
    if (given.length > 1) return `rewrite: ${given.join(' and ')} stand together; keep one of them`;
    const problem = pattern === undefined ? null : patternProblem(pattern);
    return problem === null ? null : `rewrite.pattern: ${problem}`;
  },
  create(options) {
    const { host = '', query } = options as Options;
    const pathFor = pathWriter(options as Options);
    const gone = new Set([...query.remove, ...Object.keys(query.set)]);
    const added = Object.entries(query.set).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
    return {
      onRequest(request) {
        const toPath = pathFor(request.path);
        const pairs = gone.size === 0 ? [request.query] : request.query.split('&').filter((pair) => !isNamed(pair, gone));
        const toQuery = [...pairs.filter((pair) => pair !== ''), ...added].join('&');
        const hasQuery = gone.size === 0 ? request.hasQuery : toQuery !== '';
        request.rewritten = { target: hasQuery ? `${toPath}?${toQuery}` : toPath, host };
        return undefined;
      },
    };
  },
};

function pathWriter({ path, prefix, pattern }: Options): (path: string) => string {
  if (path !== undefined) return () => path;
  if (prefix !== undefined) return (asked) => withPrefix(asked, prefix);
  return pattern === undefined ? (asked) => asked : rewriting(pattern);
}

/** By the decoded name, which is what origins go by. */
function isNamed(pair: string, names: ReadonlySet<string>): boolean {
  const [[key] = ['']] = new URLSearchParams(pair);
  return names.has(key);
}
