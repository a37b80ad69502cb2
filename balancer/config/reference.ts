// The reference page of the config file: every key with its form, default and meaning, made from the schema.
import type { ConfigExtension, ConfigExtensions } from './extension.ts';
import { withoutDefaults } from './json-schema.ts';
import { isKindName, KINDS } from './kinds.ts';
import { fileSchema } from './schema.ts';

/** Markdown. */
export function referencePage(extensions: ConfigExtensions): string {
  const { sections } = new SectionWriter().write('', fileSchema(extensions));
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
    ...extensionList(
      'Filters',
      'Listed under `routes[].filters`; they run in this order, whatever the order of the file.',
      extensions.filters,
    ),
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
      const { table, sections } = new SectionWriter().write(name, schema);
      return [`### ${name}`, summary, ...(table === null ? [] : [table]), ...sections.slice(1).map((section) => `##${section}`)];
    }),
  ];
}

interface Written {
  readonly table: string | null;
  /** The section of the mapping itself, then those of the mappings inside. */
  readonly sections: readonly string[];
}

class SectionWriter {
  write(path: string, schema: object): Written {
    const properties = Object.entries(partOf(schema, 'properties')).map(([name, value]: [string, object]) => [name, value] as const);
    const required = new Set(withoutDefaults(schema, Reflect.get(schema, 'required')));
    if (properties.length === 0) return { table: null, sections: [] };
    const rows = properties.map(([name, value]) => row(name, value, required.has(name)));
    const table = ['| key | form | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
    const inner = properties.flatMap(([name, value]) => {
      const [ending, part] = inside(value);
      return name === 'filters' ? [] : this.write(`${path === '' ? '' : `${path}.`}${name}${ending}`, part).sections;
    });
    const title = path === '' ? '## The file' : `## ${path.replaceAll('<', '\\<')}`;
    return { table, sections: [`${title}\n\n${textOf(schema, 'description') ?? ''}\n\n${table}`, ...inner] };
  }
}

/** The mapping a value holds, and how its place is written. */
function inside(schema: object): readonly [ending: string, part: object] {
  const named = partOf(schema, 'additionalProperties');
  if ('properties' in named) return ['.<name>', named];
  const items = partOf(schema, 'items');
  return 'properties' in items ? ['[]', items] : ['', schema];
}

function row(name: string, schema: object, required: boolean): string {
  const written: unknown = Reflect.get(schema, 'default');
  const isMapping = typeof written === 'object' && written !== null && Object.keys(written).length === 0;
  const defaultText = required
    ? '**required**'
    : written === undefined || isMapping
      ? ''
      : `\`${JSON.stringify(written).replaceAll('"', '')}\``;
  return `| \`${name}\` | ${cell(formOf(schema))} | ${defaultText} | ${cell(textOf(schema, 'description') ?? '')} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function formOf(schema: object): string {
  const kind = textOf(schema, 'kind');
  if (kind !== null && isKindName(kind)) return KINDS[kind].what.replace(/^an? /, '');
  const choices: unknown = Reflect.get(schema, 'enum') ?? Reflect.get(schema, 'const');
  if (choices !== undefined) return (Array.isArray(choices) ? choices : [choices]).map((choice) => `\`${String(choice)}\``).join(', ');
  const type: unknown = Reflect.get(schema, 'type');
  const types = (Array.isArray(type) ? type : [type]).map((part) => TYPE_WORDS.get(String(part)) ?? 'value');
  return types.join(' or ');
}

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ['object', 'mapping'],
  ['array', 'list'],
  ['string', 'text'],
  ['integer', 'whole number'],
  ['number', 'number'],
  ['boolean', '`true` or `false`'],
]);

function partOf(holder: object, key: string): object {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'object' && value !== null ? value : {};
}

function textOf(holder: object, key: string): string | null {
  const value: unknown = Reflect.get(holder, key);
  return typeof value === 'string' ? value : null;
}
