// weir cache: what routes have stored of the answers of their services.
import type { AskedChange } from '../../balancer/controller/api/views.ts';
import { CHANGE_OPTIONS, makeChange } from '../change.ts';
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import type { CommandValues } from '../values.ts';

const NOTES = [
  'Every worker of every host drops what is named, and what is on its way from a service is not stored; then the command returns. Who has not is named (exit code 8), and does it before',
  'it hears of anything else. A host that is cut off does it when it comes back. Several of --url, --prefix and --tag are all of them together; --route alone is all that the route has',
  'stored. A URL is what clients ask for; its scheme and port do not count. A prefix is the beginning of a path, with --host of that host alone. Tags are those that services name in',
  'cache-tag or surrogate-key. --soft ends what is stored in place of dropping it: it is asked about, and may be served meanwhile (staleWhileRevalidate, staleIfError). What was dropped',
  'cannot be brought back.',
].join('\n');

const purgeDefinition: CommandDefinition = {
  examples: [
    'weir cache purge --url https://shop.example/img/logo.png',
    'weir cache purge --prefix /img/ --host shop.example --reason "new pictures"',
    'weir cache purge --tag news --tag sport --soft',
    'weir cache purge --route shop --yes',
  ],
  notes: NOTES,
  options: [
    { flags: '--url <URL...>', summary: 'what this URL was answered with' },
    { flags: '--prefix <PATH...>', summary: 'everything below the beginning of a path' },
    { flags: '--host <HOST>', summary: 'of --prefix: on this host alone' },
    { flags: '--tag <TAG...>', summary: 'everything that its service gave this tag' },
    { flags: '--route <ROUTE>', summary: 'only of this route; alone: everything it has' },
    { flags: '--all', summary: 'everything of all routes' },
    { flags: '--soft', summary: 'end it in place of dropping it' },
    ...CHANGE_OPTIONS,
  ],
  run: async (call) => makeChange(call, await call.connect(), purgeAsked(call.values)),
};

export const cacheCommand: CommandDefinition = {
  examples: ['weir cache purge --url https://shop.example/img/logo.png', 'weir get cache'],
  subcommands: [
    { name: 'purge', summary: 'drop stored responses by URL, path, tag or route', load: () => Promise.resolve(purgeDefinition) },
  ],
};

function purgeAsked(values: CommandValues): AskedChange {
  const [urls, paths, tags] = [values.texts('url'), values.texts('prefix'), values.texts('tag')];
  const [host, route] = [values.text('host'), values.text('route')];
  if (host !== null && paths === null)
    throw new CommandFailure(EXIT.usage, '--host is for --prefix; for all of a host: --prefix / --host HOST');
  return {
    kind: 'purge',
    ...(urls === null ? {} : { urls }),
    ...(paths === null ? {} : { prefixes: paths.map((path) => startOf(path, host)) }),
    ...(tags === null ? {} : { tags }),
    ...(route === null ? {} : { route }),
    ...(values.flag('all') ? { all: true } : {}),
    ...(values.flag('soft') ? { soft: true } : {}),
  };
}

function startOf(path: string, host: string | null): string {
  if (path.startsWith('/')) return `${host ?? ''}${path}`;
  throw new CommandFailure(EXIT.usage, `--prefix: expected the beginning of a path, such as /img/, got ${JSON.stringify(path)}`);
}
