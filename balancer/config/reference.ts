// The reference page of the config file: every key with its form, default and meaning, made from the schema.
import type { ConfigExtension, ConfigExtensions } from './extension.ts';
import { schemaTables } from './schema-tables.ts';
import { fileSchema } from './schema.ts';

/** Markdown. */
export function referencePage(extensions: ConfigExtensions): string {
  const { sections } = schemaTables('', fileSchema(extensions));
  return [
    '# weir.yaml',
    'Made from the schema by `npm run docs`; do not edit.',
    'The file is YAML 1.2. Unknown keys are errors. Paths of files are relative to the directory of the file. ' +
      'Durations are written `500ms`, `2s`, `5m`, `1h`; sizes `64KiB`, `10MiB`; percentages `20%`. ' +
      'Names of listeners, clusters, services, versions and routes are DNS labels: at most 63 of `a-z`, `0-9` and `-`.',
    'For completion in editors, begin the file with `# yaml-language-server: $schema=weir.schema.json` and the path of that file.',
    ...sections,
    ROUTE_PRECEDENCE,
    PATTERNS,
    FILTERS,
    ...extensionList('Balancing', 'Values of `clusters.<name>.balance`; the first is the default.', extensions.balances),
    '',
  ].join('\n\n');
}

const ROUTE_PRECEDENCE = `## Which route wins

As with HTTPRoute in the Kubernetes Gateway API: of all routes that match, the first by

1. host: exact before wildcard, longer wildcard before shorter, wildcard before none
2. path: \`exact\`, then \`regex\` (where the Gateway API leaves the place open), then the longest \`path\`
3. a method before none
4. the larger number of header conditions
5. the larger number of query conditions
6. the order of the file

A route that can never match, because routes above it take the same requests, is an error.`;

const FILTERS = `## Filters

Listed under \`routes[].filters\`. What each does, its options and an example are in [filters/](filters/README.md), in the order in which they run,
whatever the order of the file.`;

const PATTERNS = `## Patterns

A \`regex\` matches the whole value and is matched in linear time, whatever the value: there is no backtracking. It is the regular part
of the syntax of JavaScript: characters, \`.\`, classes, groups, \`|\`, \`*\`, \`+\`, \`?\`, \`{2,5}\`, \`^\`, \`$\`, \`\\d \\w \\s\` and their opposites.
References to groups and looking ahead or behind are refused. So are patterns of more than 1000 characters,
of more than 1000 steps with all repetitions written out, and those like \`.*a.{30}\` that would have to keep too many ways apart.`;

function extensionList(title: string, introduction: string, extensions: readonly ConfigExtension[]): readonly string[] {
  return [
    `## ${title}`,
    introduction,
    ...extensions.flatMap(({ name, summary, schema }) => {
      const { table, sections } = schemaTables(name, schema);
      return [`### ${name}`, summary, ...(table === null ? [] : [table]), ...sections.slice(1).map((section) => `##${section}`)];
    }),
  ];
}
